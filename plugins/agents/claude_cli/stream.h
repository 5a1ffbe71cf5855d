// The output of the CLI, cut into lines: one JSON object a line, some of several megabytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace claude {

// Lines of any number of pieces. What is held never grows beyond twice the longest line that is taken; a
// longer one is dropped to its end, and counted.
class Lines {
 public:
  explicit Lines(std::size_t most_line) : most_line_(most_line) {}

  // Calls `take` with each line that is whole now, without its newline. The text is valid during the call.
  template <class Take>
  void add(std::string_view bytes, Take take) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) return keep(bytes);
      if (line_.empty() && !dropping_ && end <= most_line_) {
        take(bytes.substr(0, end));  // the usual case: nothing is copied
      } else {
        keep(bytes.substr(0, end));
        if (std::exchange(dropping_, false)) {
          ++too_long_;
        } else {
          take(std::string_view(line_));
        }
        forget();
      }
      bytes.remove_prefix(end + 1);
    }
  }

  // A last line that has no end.
  template <class Take>
  void finish(Take take) {
    if (std::exchange(dropping_, false)) ++too_long_;
    if (!line_.empty()) take(std::string_view(line_));
    forget();
  }

  std::uint64_t too_long() const { return too_long_; }  // lines that were dropped
  std::size_t held() const { return line_.capacity(); }

 private:
  void keep(std::string_view piece);
  void forget();

  std::size_t most_line_;
  std::string line_;
  bool dropping_ = false;
  std::uint64_t too_long_ = 0;
};

}  // namespace claude
