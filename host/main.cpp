// Arguments in, exit code out.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "host/app.h"
#include "host/cli/commands.h"
#include "host/conformance/check_main.h"
#include "host/isolation/runner_main.h"
#include "host/signals.h"

namespace {

// As wide as the terminal, else as wide as people expect of a log.
int columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<int>(size.ws_col, 60);
  return 120;
}

}  // namespace

int main(int argc, char** argv) {
  // The internal modes come first: a runner parses nothing and starts with as little as possible.
  if (int fd = -1; davit::isolation::is_runner_command(argc, argv, fd))
    return davit::isolation::runner_main(fd);
  if (davit::conformance::is_check_command(argc, argv)) davit::conformance::check_main();

  // A stop that is asked for while a host starts waits until somebody looks for it. Other commands just end.
  if (argc > 1 && std::find(argv + 1, argv + argc, std::string_view("serve")) != argv + argc) {
    const sigset_t stops = davit::stop_signals();
    ::sigprocmask(SIG_BLOCK, &stops, nullptr);
  }

  // A reader that goes away (davit tasks list | head) is an error of write(), not our end.
  std::signal(SIGPIPE, SIG_IGN);
  const davit::SystemClock clock;
  return davit::cli::run(
      argc, argv,
      {std::cout, std::cerr, std::cin, davit::config::process_environment(), clock, columns(),
       [](const davit::ServeOptions& options) { return davit::serve(options); }});
}
