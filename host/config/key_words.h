// What a key takes and what it is without a line in the file, in words.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/config/key_field.h"

namespace davit::config {

// "integer 0 to 65535", "no | behind_proxy | direct", "list: IP address".
std::string type_text(const Field& field);

// The value in `section`, a default-constructed one, as one would write it; Field::if_absent where it has
// none.
std::string default_text(const Field& field, void* section);

std::string joined(std::span<const std::string_view> words, std::string_view separator);

}  // namespace davit::config
