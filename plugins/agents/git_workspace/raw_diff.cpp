#include "git_workspace/raw_diff.h"

#include <charconv>

namespace git {
namespace {

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

int mode_of(std::string_view octal) {
  int mode = 0;
  std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
  return mode;
}

}  // namespace

std::vector<File> files_in(std::string_view raw) {
  std::vector<File> files;
  while (!raw.empty()) {  // ":<mode> <mode> <id> <id> <letter>\0<path>\0"
    std::string_view facts = take_until(raw, '\0');
    take_until(facts, ':');
    File file;
    file.old_mode = mode_of(take_until(facts, ' '));
    file.new_mode = mode_of(take_until(facts, ' '));
    file.old_id = take_until(facts, ' ');
    file.new_id = take_until(facts, ' ');
    file.path = take_until(raw, '\0');
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace git
