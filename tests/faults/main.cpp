// main of each fault test: runs it in a PID namespace of its own, so that whatever it leaves running ends
// with it, also when it is killed for taking too long. Where that is not allowed it says so, and runs all the
// same.
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace {

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

// The first process of the namespace: takes in the orphans, and takes all of them with it once `test` ends.
[[noreturn]] void look_after(pid_t test) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == test || (ended < 0 && errno == ECHILD)) ::_exit(exit_code_of(status));
  }
}

constexpr int kNotAllowed = 77;  // no test program ends with that

// In a child: goes on, two generations down, as an ordinary process of a new namespace whose /proc tells of
// it. The ones before stay, and pass on how it ends.
void enter_new_namespace() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(kNotAllowed);
  const pid_t first = ::fork();
  if (first < 0) ::_exit(kNotAllowed);
  if (first > 0) ::_exit(wait_for(first));
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Tests look processes up by the numbers they have here.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    ::_exit(kNotAllowed);
  const pid_t test = ::fork();
  if (test < 0) ::_exit(kNotAllowed);
  if (test > 0) look_after(test);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  const pid_t below = ::fork();
  if (below == 0) {
    enter_new_namespace();
    return RUN_ALL_TESTS();
  }
  const int status = below < 0 ? kNotAllowed : wait_for(below);
  if (status != kNotAllowed) return status;
  std::fputs("No namespaces here: what a test that fails leaves running goes on.\n", stderr);
  return RUN_ALL_TESTS();
}
