#include "git_workspace/message.h"

#include <algorithm>

#include "davit/text.hpp"

namespace git {
namespace {

constexpr std::size_t kLongest = 16 * 1024;

}  // namespace

std::string clean_message(std::string_view message) {
  const std::string text = davit::to_utf8(message);
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      while (!clean.empty() && clean.back() == ' ') clean.pop_back();
      if (!clean.empty()) clean += '\n';
    } else if (c == '\t') {
      clean += ' ';
    } else if (byte >= 0x20 && byte != 0x7f) {
      clean += c;
    }
  }
  clean.resize(davit::utf8_prefix(std::string_view(clean).substr(0, kLongest)));
  while (!clean.empty() && (clean.back() == '\n' || clean.back() == ' ')) clean.pop_back();
  return clean;
}

std::string with_trailer(std::string_view message, std::string_view key, std::string_view value) {
  return clean_message(message) + "\n\n" + std::string(key) + ": " + std::string(value);
}

std::optional<std::string> trailer(std::string_view message, std::string_view key) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  const std::size_t paragraph = message.rfind("\n\n");
  if (paragraph == std::string_view::npos) return std::nullopt;
  std::optional<std::string> found;
  for (std::string_view rest = message.substr(paragraph + 2); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (line.size() > key.size() + 2 && line.substr(0, key.size()) == key &&
        line.substr(key.size(), 2) == ": ")
      found = line.substr(key.size() + 2);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return found;
}

}  // namespace git
