// The other end: what a runner process does.
#pragma once

namespace davit::isolation {

// Serves calls on the sockets `fd` and `fd` + 1 until the host ends them, then ends its own process tree and
// the process. Does not return. The exit status is 0 for an orderly end, 70 for a protocol failure.
[[noreturn]] int runner_main(int fd);

// Is this the internal mode? True for `davit __runner <fd> <name> [tag]`; main() asks before it does anything
// else, since the mode must neither read the configuration nor start a thread.
bool is_runner_command(int argc, char** argv, int& fd);

}  // namespace davit::isolation
