#include "host/dispatch/redactor.h"

#include <algorithm>

#include "host/base/json.h"

namespace davit::dispatch {
namespace {

constexpr std::size_t kShortestSecret = 6;
constexpr std::size_t kShortestLine = 16;  // of a value of several lines

std::string as_in_json(std::string_view text) {
  std::string quoted = json_quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Redactor::Redactor(const std::vector<plugin::Secret>& secrets) {
  for (const plugin::Secret& secret : secrets) {
    std::string replacement = "[secret " + as_in_json(secret.name) + "]";
    auto add = [&](std::string value, std::size_t shortest) {
      if (value.size() < shortest) return;
      std::string escaped = is_utf8(value) ? as_in_json(value) : value;
      if (escaped != value) patterns_.push_back({std::move(escaped), replacement});
      patterns_.push_back({std::move(value), replacement});
    };
    add(secret.value, kShortestSecret);
    std::vector<std::string> lines = lines_of(secret.value);
    if (lines.size() > 1)
      for (std::string& line : lines) add(std::move(line), kShortestLine);
  }
  std::stable_sort(patterns_.begin(), patterns_.end(),
                   [](const Pattern& a, const Pattern& b) { return a.value.size() > b.value.size(); });
}

void Redactor::redact(std::string& text) const {
  for (const Pattern& pattern : patterns_) {
    for (std::size_t at = text.find(pattern.value); at != std::string::npos;
         at = text.find(pattern.value, at)) {
      text.replace(at, pattern.value.size(), pattern.replacement);
      at += pattern.replacement.size();
    }
  }
}

}  // namespace davit::dispatch
