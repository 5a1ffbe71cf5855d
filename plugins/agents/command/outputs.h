// What a program writes, taken in without growing beyond a limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace command {

// The first `limit` bytes; counts all.
class Capture {
 public:
  explicit Capture(std::size_t limit) : limit_(limit) {}
  void add(std::string_view piece) {
    total_ += piece.size();
    text_.append(piece.substr(0, limit_ - text_.size()));
  }
  const std::string& text() const { return text_; }
  std::uint64_t total() const { return total_; }
  bool cut() const { return total_ > text_.size(); }

 private:
  std::size_t limit_;
  std::uint64_t total_ = 0;
  std::string text_;
};

// Lines as they come, each at most kMaxLine bytes (a longer one comes in pieces), all together at most
// `limit`: then one line says so and the rest is dropped.
class Lines {
 public:
  static constexpr std::size_t kMaxLine = 8 * 1024;

  Lines(std::size_t limit, std::function<void(std::string_view)> tell)
      : left_(limit), tell_(std::move(tell)) {}

  void add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::size_t room = kMaxLine - line_.size();
      if (end != std::string_view::npos && end <= room) {
        line_.append(piece.substr(0, end));
        piece.remove_prefix(end + 1);
        flush();
      } else {
        line_.append(piece.substr(0, room));
        piece.remove_prefix(std::min(room, piece.size()));
        if (line_.size() == kMaxLine) flush();
      }
    }
  }
  // A last line without end.
  void finish() {
    if (!line_.empty()) flush();
  }
  // The last one that was not empty, also when it was dropped.
  const std::string& last() const { return last_; }

 private:
  void flush() {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (line_.size() < left_) {
      left_ -= line_.size() + 1;
      tell_(line_);
    } else if (left_ > 0) {
      left_ = 0;
      tell_("(more was written and is dropped)");
    }
    if (!line_.empty()) std::swap(last_, line_);
    line_.clear();
  }

  std::size_t left_;
  std::function<void(std::string_view)> tell_;
  std::string line_, last_;
};

}  // namespace command
