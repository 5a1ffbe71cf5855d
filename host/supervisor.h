// The small process above the host: starts it again when it dies, and ends what it left running.
#pragma once

#include <string>
#include <vector>

namespace davit {

struct SupervisorOptions {
  std::vector<std::string> command;  // the host's own command line; argv[0] is the program
  int ready_fd = -1;                 // inherited by the first start
};

// Blocks SIGTERM, SIGINT and SIGHUP in this process and passes them to the host. Returns the exit code when
// the host was asked to end and did (1 if it had to be killed: it hung longer than its stop may take, or a
// second signal came), or when it ended with a failure before it began to serve. Whatever else
// ends it, a crash or an exit, starts it again: after 100 ms, with a delay that doubles from end to end up to
// 5 s while nobody is known to be to blame, and stays at 100 ms while a plugin is. Tells the next host how
// the one before ended (--former-status, as waitpid() says it) and which port it had (--former-port).
int supervise(const SupervisorOptions& options);

}  // namespace davit
