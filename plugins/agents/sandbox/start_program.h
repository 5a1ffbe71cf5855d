// The program that runs first in a sandbox (start.c), as bytes: it goes in through a descriptor, so that no
// file beside the plugin has to be found.
#pragma once

#include <string_view>

namespace sandbox {

std::string_view start_program();

}  // namespace sandbox
