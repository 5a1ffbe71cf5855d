#include "command.h"

#include <algorithm>

namespace reading {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::size_t last = text.find_last_not_of(kBlanks);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::optional<Command> read_command(std::string_view comment, std::string_view prefix) {
  if (prefix.empty()) return std::nullopt;
  const std::string_view line =
      trimmed(comment.substr(0, std::min(comment.find_first_of("\r\n"), comment.size())));
  if (line.substr(0, prefix.size()) != prefix) return std::nullopt;
  const std::string_view behind = line.substr(prefix.size());
  if (!behind.empty() && kBlanks.find(behind.front()) == std::string_view::npos) return std::nullopt;
  const std::string_view words = trimmed(behind);
  const std::size_t end = std::min(words.find_first_of(kBlanks), words.size());
  return Command{words.substr(0, end), trimmed(words.substr(end))};
}

bool is_hash(std::string_view word) {
  return word.size() >= 12 && word.size() <= 64 &&
         word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

Decided read_hash(std::string_view said) {
  const std::size_t end = std::min(said.find_first_of(" \t\r\n"), said.size());
  if (!is_hash(said.substr(0, end))) return {{}, said};
  return {said.substr(0, end), trimmed(said.substr(end))};
}

}  // namespace reading
