#include "sandbox/start_program.h"

#include <cstddef>

// SANDBOX_START_PROGRAM: where the build has put it.
__asm__(
    ".pushsection .rodata\n"
    ".hidden sandbox_start_begin\n.globl sandbox_start_begin\nsandbox_start_begin:\n"
    ".incbin \"" SANDBOX_START_PROGRAM
    "\"\n"
    ".hidden sandbox_start_end\n.globl sandbox_start_end\nsandbox_start_end:\n"
    ".popsection\n");

extern "C" {
extern const char sandbox_start_begin[] __attribute__((visibility("hidden")));
extern const char sandbox_start_end[] __attribute__((visibility("hidden")));
}

namespace sandbox {

std::string_view start_program() {
  return {sandbox_start_begin, static_cast<std::size_t>(sandbox_start_end - sandbox_start_begin)};
}

}  // namespace sandbox
