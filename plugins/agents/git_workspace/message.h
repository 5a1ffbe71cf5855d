// The words of a commit, and the line in them by which davit knows its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace git {

// `message` as a commit can have it: UTF-8, without control characters, spaces at the ends of lines or empty
// lines at its ends, at most 16 KiB. Empty if nothing is left.
std::string clean_message(std::string_view message);

// A line "Key: value"; both are of one line.
struct Trailer {
  std::string key, value;
};

// With "Key: value" in a last paragraph of its own, which nothing in `message` can pretend to be. `key` and
// `value` are one line each.
std::string with_trailer(std::string_view message, std::string_view key, std::string_view value);

// The value of the last "Key: value" in the last paragraph, the first paragraph (the subject) excepted.
std::optional<std::string> trailer(std::string_view message, std::string_view key);

}  // namespace git
