// "/davit approve looks good": a command in the first line of a comment.
#pragma once

#include <optional>
#include <string_view>

namespace reading {

struct Command {
  std::string_view verb;  // "approve", or whatever stands there
  std::string_view rest;  // of the line, without blanks around it
};

// Nullopt when the first line does not begin with `prefix` as a word of its own. Borrows from `comment`.
std::optional<Command> read_command(std::string_view comment, std::string_view prefix);

}  // namespace reading
