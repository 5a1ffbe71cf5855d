// The child's end: one check, then the end of the process.
#pragma once

namespace davit::conformance {

// The internal mode of the program, in front of what isolation::start_runner appends:
// `davit __check __runner 3 <name> <tag>`.
inline constexpr const char* kCheckMode = "__check";
bool is_check_command(int argc, char** argv);

// Reads a Job from the socket, runs its check and reports over the same socket. Does not return.
[[noreturn]] void check_main();

}  // namespace davit::conformance
