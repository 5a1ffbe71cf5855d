// The host's own reader of answers, for targets of webhook plugins. Apart from them, since host and SDK have
// functions of the same names.
#pragma once

#include <string>
#include <string_view>

namespace davit::fuzz {

// Empty if the host takes this answer of handle(); else why it does not.
std::string refusal_by_host(std::string_view answer);

}  // namespace davit::fuzz
