#include "host/isolation/signal_fence.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace davit::isolation {
namespace {

// A thread of this process, as a host has many.
class OtherThread {
 public:
  OtherThread() : thread_([this] { run(); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return number_ != 0; });
  }
  ~OtherThread() {
    {
      std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  pid_t number() const { return number_; }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    number_ = static_cast<pid_t>(::syscall(SYS_gettid));
    changed_.notify_all();
    changed_.wait(lock, [this] { return ends_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  pid_t number_ = 0;
  bool ends_ = false;
  std::thread thread_;
};

// Runs in a child that has fenced itself off. 0: it gave true.
int in_a_fenced_child(const std::function<bool()>& check, void (*fence)() = fence_off_parents) {
  const pid_t child = ::fork();
  if (child == 0) {
    fence();
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

// Signal 0 asks whether a signal could be sent.
bool refused(long result) { return result == -1 && errno == EPERM; }

TEST(SignalFenceTest, NoSignalReachesTheParentItsGroupOrAnyOfItsThreads) {
  const OtherThread other;
  const pid_t parent = ::getpid(), thread = other.number();
  ASSERT_EQ(::kill(thread, 0), 0) << "kill() takes the number of a thread";
  EXPECT_EQ(in_a_fenced_child([&] {
              return refused(::kill(parent, 0)) && refused(::kill(-parent, 0)) && refused(::kill(-1, 0)) &&
                     refused(::kill(thread, 0)) && refused(::syscall(SYS_tkill, parent, 0)) &&
                     refused(::syscall(SYS_tkill, thread, 0)) &&
                     refused(::syscall(SYS_tgkill, parent, thread, 0)) &&
                     refused(::syscall(SYS_rt_sigqueueinfo, thread, 0, nullptr)) &&
                     refused(::syscall(SYS_pidfd_open, parent, 0));
            }),
            0);
}

TEST(SignalFenceTest, ItsOwnProcessesCanBeSignalledAsEver) {
  EXPECT_EQ(in_a_fenced_child([] {
              const pid_t own = ::fork();
              if (own == 0) {
                for (;;) ::pause();
              }
              int status = 0;
              return ::kill(own, SIGKILL) == 0 && ::waitpid(own, &status, 0) == own && WIFSIGNALED(status) &&
                     ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), 0) == 0 &&
                     ::syscall(SYS_tkill, ::syscall(SYS_gettid), 0) == 0;
            }),
            0);
}

TEST(SignalFenceTest, AWatchedFenceRefusesTheSameAndTellsOfIt) {
  const pid_t parent = ::getpid();
  EXPECT_EQ(in_a_fenced_child(
                [&] {
                  return ::kill(::getpid(), 0) == 0 && !parents_were_signalled() &&
                         refused(::kill(parent, 0)) && parents_were_signalled();
                },
                fence_off_parents_and_watch),
            0);
  EXPECT_FALSE(parents_were_signalled()) << "this process has not tried";
}

}  // namespace
}  // namespace davit::isolation
