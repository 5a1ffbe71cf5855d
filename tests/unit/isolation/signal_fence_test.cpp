#include "host/isolation/signal_fence.h"

#include <asm/sockios.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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

TEST(SignalFenceTest, NobodyIsMadeTheOwnerOfADescriptorWhoseSignalsTheKernelSends) {
  const pid_t parent = ::getpid();
  EXPECT_EQ(in_a_fenced_child([&] {
              int ends[2];
              if (::pipe(ends) != 0) return false;
              f_owner_ex owner{F_OWNER_PID, parent};
              pid_t group = parent;
              return refused(::fcntl(ends[0], F_SETOWN, parent)) &&
                     refused(::fcntl(ends[0], F_SETOWN_EX, &owner)) &&
                     refused(::ioctl(ends[0], FIOSETOWN, &group)) &&
                     refused(::ioctl(ends[0], SIOCSPGRP, &group)) && ::fcntl(ends[0], F_GETFL) >= 0;
            }),
            0);
}

TEST(SignalFenceTest, LimitsAndSchedulingOfTheParentStayWhatTheyAre) {
  const OtherThread other;
  const pid_t parent = ::getpid(), thread = other.number();
  EXPECT_EQ(in_a_fenced_child([&] {
              rlimit limit{};
              sched_param plain{};
              cpu_set_t processors;
              CPU_ZERO(&processors);
              CPU_SET(0, &processors);
              char byte = 0;
              iovec here{&byte, 1}, there{&byte, 1};
              return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
                     refused(::prlimit(parent, RLIMIT_NOFILE, &limit, nullptr)) &&
                     refused(::setpriority(PRIO_PROCESS, static_cast<id_t>(parent), 19)) &&
                     refused(::setpriority(PRIO_PROCESS, static_cast<id_t>(thread), 19)) &&
                     refused(::setpriority(PRIO_PGRP, 0, 19)) && refused(::setpriority(PRIO_USER, 0, 19)) &&
                     refused(::syscall(SYS_ioprio_set, 1, parent, 0)) &&
                     refused(::syscall(SYS_ioprio_set, 3, 0, 0)) &&
                     refused(::sched_setscheduler(parent, SCHED_OTHER, &plain)) &&
                     refused(::sched_setparam(parent, &plain)) &&
                     refused(::sched_setaffinity(parent, sizeof processors, &processors)) &&
                     refused(::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr)) &&
                     refused(::process_vm_readv(parent, &here, 1, &there, 1, 0)) &&
                     refused(::process_vm_writev(parent, &here, 1, &there, 1, 0));
            }),
            0);
}

TEST(SignalFenceTest, ItsOwnLimitsAndPriorityAreItsOwnAffair) {
  EXPECT_EQ(in_a_fenced_child([] {
              rlimit limit{};
              sched_param plain{};
              return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && ::setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
                     ::setpriority(PRIO_PROCESS, 0, 19) == 0 && ::sched_setparam(0, &plain) == 0 &&
                     ::sched_setscheduler(::getpid(), SCHED_OTHER, &plain) == 0;
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
