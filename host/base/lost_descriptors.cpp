#include "host/base/lost_descriptors.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace davit {

void end_without_descriptors() {
  constexpr std::string_view kSentence =
      "davit: a descriptor of this process was closed behind its back, which nothing but a plugin in it can "
      "do; it ends, to be started again\n";
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, kSentence.data(), kSentence.size());
  // Whoever looks at fatal signals would take this thread for the guilty one.
  ::signal(SIGABRT, SIG_DFL);
  std::abort();
}

}  // namespace davit
