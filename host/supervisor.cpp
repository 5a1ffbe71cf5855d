// States: starting → running → (crashed → waiting → starting) | ended.
//
// The supervisor holds nothing but this loop: no thread, no database, no plugin, so there is little that
// could end it. It is a child-subreaper: when the host dies, runners and what they started fall to it, and it
// kills them before the next start, so that nothing runs twice.
#include "host/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "host/host_news.h"
#include "host/isolation/process_tree.h"
#include "host/signals.h"

extern char** environ;

namespace davit {
namespace {

constexpr int kFirstDelayMs = 100;
constexpr int kLongestDelayMs = 5'000;
constexpr long kPatienceWithAStartMs =
    60'000;                              // a stop before the host serves: it may be changing its schema
constexpr long kMorePatienceMs = 2'000;  // than the host has with itself, which says more about what hangs
constexpr int kStableMs = 30'000;        // a host that ran this long starts again without delay

long now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

sigset_t handled_signals() {
  sigset_t set = stop_signals();
  sigaddset(&set, SIGCHLD);
  return set;
}

// What is known of the host before the one that is started.
struct Former {
  int status = 0;  // as waitpid() says it
  int port = 0;    // 0 if none ever served
};

pid_t start_host(std::vector<std::string> command, int serving_fd, int ready_fd,
                 const std::optional<Former>& former) {
  command.push_back("--serving-fd=" + std::to_string(serving_fd));
  if (former) command.push_back("--former-status=" + std::to_string(former->status));
  if (former && former->port != 0) command.push_back("--former-port=" + std::to_string(former->port));
  if (ready_fd >= 0) command.push_back("--ready-fd=" + std::to_string(ready_fd));
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A signal that comes before the host waits for it must wait, too, and not end it.
  sigset_t stops = stop_signals();
  posix_spawnattr_setsigmask(&attributes, &stops);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  int failure = posix_spawn(&pid, "/proc/self/exe", nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    std::fprintf(stderr, "davit: cannot start the host: %s\n", std::strerror(failure));
    return -1;
  }
  return pid;
}

// A crash that a plugin is to blame for does not lengthen the delay: the quarantine bounds how many of them
// there are. Only the host that comes after a crash knows whom to blame for it, so what it found out counts
// for the next delay.
int next_delay(int delay_ms, long ran_ms, bool former_was_blamed) {
  if (ran_ms > kStableMs) return 0;
  return former_was_blamed ? kFirstDelayMs : std::clamp(delay_ms * 2, kFirstDelayMs, kLongestDelayMs);
}

// The next signal of `set`; SIGALRM, which nobody sends, when it is `until` (0: never) before one comes.
int next_signal(const sigset_t& set, long until) {
  for (;;) {
    if (until == 0) {
      if (int signal = sigwaitinfo(&set, nullptr); signal > 0) return signal;
      continue;
    }
    const long left = std::max(until - now_ms(), 0L);
    const timespec wait{left / 1000, left % 1000 * 1'000'000L};
    if (int signal = sigtimedwait(&set, nullptr, &wait); signal > 0) return signal;
    if (errno == EAGAIN) return SIGALRM;
  }
}

}  // namespace

int supervise(const SupervisorOptions& options) {
  sigset_t handled = handled_signals();
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  isolation::become_subreaper();
  ::prctl(PR_SET_DUMPABLE, 0);  // the environment holds secrets here, too

  int ready_fd = options.ready_fd;
  isolation::OwnDescendants leftovers;

  bool stopping = false;
  int delay_ms = 0;
  std::optional<Former> former;
  for (;;) {
    long started = now_ms();
    int served[2];
    if (::pipe2(served, O_CLOEXEC | O_NONBLOCK) != 0) return 1;
    ::fcntl(served[1], F_SETFD, 0);
    pid_t host = start_host(options.command, served[1], ready_fd, former);
    ::close(served[1]);
    if (host < 0) return 1;
    // Only the first start reports ready. A later host must not know the number: there it is another file's.
    if (ready_fd >= 0) ::close(ready_fd);
    ready_fd = -1;

    int status = 0;
    HostNews news;
    long give_up_at = 0;  // while a stop is under way and the host was not killed
    for (;;) {
      const int signal = next_signal(handled, give_up_at);
      if (signal == SIGHUP) ::kill(host, SIGHUP);
      if (signal == SIGALRM || (stopping && (signal == SIGTERM || signal == SIGINT))) {
        std::fputs(signal == SIGALRM ? "davit: the host does not stop in time; it is killed\n"
                                     : "davit: a second signal to stop; the host is killed\n",
                   stderr);
        give_up_at = 0;
        ::kill(host, SIGKILL);
      } else if (signal == SIGTERM || signal == SIGINT) {
        stopping = true;
        news.read_from(served[0]);
        give_up_at = now_ms() + kMorePatienceMs +
                     (news.serving ? news.serving->longest_stop_ms : kPatienceWithAStartMs);
        ::kill(host, SIGTERM);
      }
      // Several deaths may share one SIGCHLD: take the host's own, and reap what fell to us meanwhile.
      bool ended = false;
      int one = 0;
      for (pid_t pid; (pid = ::waitpid(-1, &one, WNOHANG)) > 0;) {
        if (pid == host) {
          ended = true;
          status = one;
        }
      }
      if (ended) break;
    }
    leftovers.end(Duration{5'000});
    news.read_from(served[0]);
    ::close(served[0]);
    if (stopping) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    // A host that cannot begin to serve has said why, and would say the same again. One that served and then
    // ended with whatever status was ended by something that has no right to: a crash, or a plugin's exit().
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && !news.serving) return WEXITSTATUS(status);

    former = Former{status, news.serving ? news.serving->port : former ? former->port : 0};
    delay_ms = next_delay(delay_ms, now_ms() - started, news.blamed_a_plugin);
    std::fprintf(stderr, "davit: the host ended (%s); it is started again in %d ms\n",
                 isolation::describe_end(status).c_str(), delay_ms);
    timespec wait{delay_ms / 1000, (delay_ms % 1000) * 1'000'000L};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    if (int signal = sigtimedwait(&stop, nullptr, &wait); signal == SIGTERM || signal == SIGINT) return 0;
  }
}

}  // namespace davit
