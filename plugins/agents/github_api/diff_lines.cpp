#include "github_api/diff_lines.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace github {
namespace {

// The first line after the change, of "@@ -1,4 +1,6 @@ void f()"; nullopt if it is no such line.
std::optional<int> hunk_begin(std::string_view line) {
  if (!line.starts_with("@@ -")) return std::nullopt;
  const std::size_t plus = line.find(" +");
  if (plus == std::string_view::npos) return std::nullopt;
  int begin = 0;
  const char* digits = line.data() + plus + 2;
  const auto [stop, error] = std::from_chars(digits, line.data() + line.size(), begin);
  if (error != std::errc() || stop == digits || begin < 0) return std::nullopt;
  return begin;
}

}  // namespace

// The counts of the header are not needed: each line says by its first character where it belongs.
DiffLines::DiffLines(std::string_view patch) {
  bool inside = false;
  while (!patch.empty()) {
    const std::size_t end = std::min(patch.find('\n'), patch.size());
    const std::string_view line = patch.substr(0, end);
    patch.remove_prefix(std::min(end + 1, patch.size()));
    if (line.starts_with("@@")) {
      const std::optional<int> begin = hunk_begin(line);
      inside = begin.has_value();
      if (inside) hunks_.push_back({*begin, 0});
    } else if (inside && (line.starts_with('+') || line.starts_with(' '))) {
      ++hunks_.back().count;
    }
  }
}

bool DiffLines::hold(int first, int last) const {
  if (first < 1 || first > last) return false;
  return std::any_of(hunks_.begin(), hunks_.end(),
                     [&](const Hunk& hunk) { return first >= hunk.first && last - hunk.first < hunk.count; });
}

}  // namespace github
