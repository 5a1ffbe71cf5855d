#include "host/conformance/check_main.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <cstring>

#include "host/conformance/check.h"
#include "host/isolation/runner_process.h"
#include "host/isolation/signal_fence.h"

namespace davit::conformance {
namespace {

// Enough for any honest plugin, and far from what would hurt the machine.
constexpr rlim_t kAddressSpace = 4ull << 30;
constexpr std::size_t kMaxJob = 4u << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;  // reserves more addresses than any limit
#else
constexpr bool kSanitizer = false;
#endif

void limit_self() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (kSanitizer) return;
  const rlimit space{kAddressSpace, kAddressSpace};
  ::setrlimit(RLIMIT_AS, &space);
}

// One line.
std::string read_job() {
  std::string text;
  char buffer[4096];
  while (text.size() < kMaxJob) {
    const ssize_t got = ::read(isolation::kCallsFd, buffer, sizeof buffer);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.back() == '\n') break;
  }
  return text;
}

}  // namespace

bool is_check_command(int argc, char** argv) { return argc > 1 && std::strcmp(argv[1], kCheckMode) == 0; }

void check_main() {
  // Nothing is to be left when the one who asked is gone. It is the main thread of a small program.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit_self();
  isolation::fence_off_parents_and_watch();
  const auto job = decode_job(read_job());
  if (!job) ::_exit(kLostParent);
  const Check* check = find_check(job->check, job->kind);
  if (!check) ::_exit(kLostParent);
  Reporter report(isolation::kCallsFd, job->hung);
  Subject subject{*job, report};
  std::shared_ptr<const plugin::PluginModule> module;
  // The process state is compared across the loading as well.
  if (check->of != Of::File && check->run != check_process_state) {
    report.doing("loading");
    auto loaded = plugin::PluginModule::load(job->file);
    if (auto* refusal = std::get_if<Refusal>(&loaded)) {
      report.found(rule("loads"), "It was loaded once and not again: " + refusal->reason);
      report.done();
      ::_exit(0);
    }
    module = std::get<0>(std::move(loaded));
    subject.module = module.get();
  }
  check->run(subject);
  if (isolation::parents_were_signalled()) {
    report.found(
        rule("foreign-signals"),
        "It tried to signal the process that runs it or that one's parent, to change their limits or "
        "scheduling, or to reach into their memory");
  }
  report.done();
  // Without the ends of static objects, as in runners; check_end is for those.
  ::_exit(0);
}

}  // namespace davit::conformance
