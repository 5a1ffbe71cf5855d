// Taking members out of a body that anybody may have written: bounded, on whole characters, and with an error
// that names the member where its type is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "davit/json.hpp"

namespace reading {

inline constexpr std::size_t kMaxText = 64 * 1024;  // bytes of a description, a comment
inline constexpr std::size_t kMaxLine = 1024;       // bytes of a title, a name
inline constexpr std::size_t kMaxUrl = 2048;
inline constexpr std::size_t kMaxId = 128;
inline constexpr std::size_t kMaxItems = 100;  // labels, tags

// At most `limit` bytes, and no half character at the end.
std::string_view cut(std::string_view text, std::size_t limit);

// An absent or null member reads as "" (or null). Throws davit::Failure(InvalidInput) naming `what` for any
// other type.
std::string_view text_or_none(davit::JsonView value, std::string_view what);
davit::JsonView object_or_none(davit::JsonView value, std::string_view what);
davit::JsonView list_or_none(davit::JsonView value, std::string_view what);
davit::JsonView require_object(davit::JsonView value, std::string_view what);

// A number or a text of 1 to kMaxId visible ASCII characters. Throws likewise; "" only for absent and null.
std::string id_or_none(davit::JsonView value, std::string_view what);
std::string require_id(davit::JsonView value, std::string_view what);

// An http or https address of at most kMaxUrl bytes without query and fragment, where senders put what they
// like to know about a click; anything else reads as "".
std::string_view plain_url(davit::JsonView value);

// `text` cut to `limit` bytes, with a blank for each control character: fit to be a name, a title or a part
// of a key, whatever somebody put into it. The host refuses an answer whose names hold control characters.
std::string one_line(std::string_view text, std::size_t limit = kMaxLine);

// Sets a member to one_line(text); an empty text is left out.
void add_line(davit::Json& to, std::string_view name, std::string_view text);
// Likewise for any text, cut to kMaxText; then `cut: true` stands beside it.
void add_text(davit::Json& to, std::string_view name, std::string_view text);

}  // namespace reading
