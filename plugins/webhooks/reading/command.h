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

// "0123456789ab looks good": what is decided about, by the hash of its content, and what is said of it.
struct Decided {
  std::string_view hash;  // 12 to 64 hexadecimal digits, or empty
  std::string_view rest;
};
Decided read_hash(std::string_view said);
// Whether this is such a hash, or the beginning of one that is long enough to be meant as that.
bool is_hash(std::string_view word);

}  // namespace reading
