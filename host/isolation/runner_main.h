// The other end: what a runner process does.
#pragma once

namespace davit::isolation {

// Serves calls on the socket `fd` until it closes, then ends its own process tree and the process. Never
// returns to the caller's main loop. The exit status is 0 for an orderly end, 70 for a protocol failure.
int runner_main(int fd);

// Is this the internal mode? True for `davit __runner <fd> [tag]`; main() asks before it parses anything
// else.
bool is_runner_command(int argc, char** argv, int& fd);

}  // namespace davit::isolation
