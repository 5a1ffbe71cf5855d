// The forms in which a known secret may stand in a text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace redact {

// `secret` as it is, percent-encoded, in hexadecimal digits, as in a JSON string, and what base64 makes of it
// whatever stands before and behind it. Without doubles; what is too short to be looked for is left out.
std::vector<std::string> forms_of(std::string_view secret, std::size_t shortest);

}  // namespace redact
