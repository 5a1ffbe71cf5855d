#include "git_workspace/branch.h"

#include <algorithm>

namespace git {
namespace {

constexpr std::size_t kLongest = 200;
constexpr std::size_t kLongestWords = 60;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_valid_part(std::string_view part) {
  if (part.empty() || part.front() == '.' || part.front() == '-' || part.back() == '.') return false;
  if (part.find("..") != std::string_view::npos) return false;
  constexpr std::string_view kLock = ".lock";
  if (part.size() >= kLock.size() && part.substr(part.size() - kLock.size()) == kLock) return false;
  return std::all_of(part.begin(), part.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; });
}

std::string plain(std::string_view text, std::size_t most) {
  std::string result;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (is_letter(c) || is_digit(c)) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
    if (result.size() == most) break;
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result;
}

}  // namespace

bool valid_branch(std::string_view name) {
  if (name.empty() || name.size() > kLongest || name == "HEAD") return false;
  if (name.substr(0, 5) == "refs/") return false;
  for (std::string_view rest = name;;) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (!is_valid_part(rest.substr(0, end))) return false;
    if (end == rest.size()) return true;
    rest.remove_prefix(end + 1);
  }
}

std::string branch_name(std::string_view prefix, std::string_view words, std::string_view id) {
  std::string name(prefix);
  const std::string slug = plain(words, kLongestWords), tail = plain(id, kLongestWords);
  name += slug.empty() ? "work" : slug;
  if (!tail.empty()) name += "-" + tail;
  return name;
}

}  // namespace git
