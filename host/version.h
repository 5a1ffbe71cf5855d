// The version of davit, from CMake's project().
#pragma once

#include <string_view>

namespace davit {
inline constexpr std::string_view kVersion = DAVIT_VERSION;
}
