// seccomp(2): the filter sees the number of a call and its arguments, but not what they point to.
#include "host/isolation/signal_fence.h"

#include <asm/sockios.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace davit::isolation {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;  // no filter
#endif

constexpr std::size_t kMostIds = 1000;          // a filter has 4096 statements at most
constexpr std::uint32_t kIoprioWhoProcess = 1;  // of linux/ioprio.h, which not every system has

// 0 if it cannot be told.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  int parent = 0;
  if (name_end == std::string::npos || std::sscanf(text.c_str() + name_end, ") %*c %d", &parent) != 1)
    return 0;
  return parent;
}

// The host and the supervisor, as one process, as a group, and by each of their threads: kill() takes the
// number of any thread for its process, and each thread has a priority of its own.
std::vector<std::uint32_t> protected_ids() {
  std::vector<std::uint32_t> ids{static_cast<std::uint32_t>(-1)};  // everybody
  const pid_t host = ::getppid();
  for (const pid_t process : {host, parent_of(host)}) {
    if (process <= 0) continue;
    ids.push_back(static_cast<std::uint32_t>(process));
    ids.push_back(static_cast<std::uint32_t>(-process));
    std::error_code failed;
    for (std::filesystem::directory_iterator at("/proc/" + std::to_string(process) + "/task", failed), end;
         !failed && at != end; at.increment(failed)) {
      const int thread = std::atoi(at->path().filename().c_str());
      if (thread > 0 && thread != process && ids.size() < kMostIds)
        ids.push_back(static_cast<std::uint32_t>(thread));
    }
  }
  return ids;
}

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

// `verdict` where the loaded value is (kEqual) or is not (kUnequal) this one; else on with what follows.
enum Outcome : std::uint8_t { kUnequal = 0, kEqual = 1 };
void judge(std::vector<sock_filter>& filter, std::uint16_t compare, std::uint32_t value, Outcome outcome,
           std::uint32_t verdict) {
  const auto leave_out_if = [&](Outcome which) {
    return static_cast<std::uint8_t>(outcome == which ? 0 : 1);
  };
  filter.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | compare | BPF_K), value,
                            leave_out_if(kEqual), leave_out_if(kUnequal)));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, verdict));
}

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::size_t kCallNumber = offsetof(seccomp_data, nr);
// The low halves: all of what is looked at are ints.
constexpr std::size_t kFirst = offsetof(seccomp_data, args[0]), kSecond = offsetof(seccomp_data, args[1]);

// A program under way. While it looks at calls the number of the call is loaded.
class Filter {
 public:
  Filter() {
    // Another machine's calls (32-bit ones) have other numbers: none of them.
    statements_.push_back(load(offsetof(seccomp_data, arch)));
    judge(statements_, BPF_JEQ, kMachine, kUnequal, kRefuse);
    statements_.push_back(load(kCallNumber));
    // x32 has this bit; on other machines no call has a number as high.
    judge(statements_, BPF_JGE, 0x40000000, kEqual, kRefuse);
  }

  // `verdict` where the second argument of `call` is one of these.
  void refuse_seconds(std::uint32_t call, std::initializer_list<std::uint32_t> seconds,
                      std::uint32_t verdict) {
    std::vector<sock_filter> body{load(kSecond)};
    for (const std::uint32_t second : seconds) judge(body, BPF_JEQ, second, kEqual, verdict);
    body.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    add(call, body);
  }
  // `call` names whom it is about in the argument at `whom`; `verdict` where its first one is not `first`.
  void judge_whom(std::uint32_t call, std::size_t whom, std::optional<std::uint32_t> first,
                  std::uint32_t verdict) {
    std::vector<sock_filter> body;
    if (first) {
      body.push_back(load(kFirst));
      judge(body, BPF_JEQ, *first, kUnequal, verdict);
    }
    body.push_back(load(whom));
    body.push_back(BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));  // to where ids are judged, see enforce()
    add(call, body);
    to_ids_.push_back(statements_.size() - 1);
  }
  // `verdict` where one of those is meant; all else may pass. From then on this is so for all threads.
  void enforce(const std::vector<std::uint32_t>& ids, std::uint32_t verdict) {
    statements_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    for (const std::size_t jump : to_ids_)
      statements_[jump].k = static_cast<std::uint32_t>(statements_.size() - jump - 1);
    for (const std::uint32_t id : ids) judge(statements_, BPF_JEQ, id, kEqual, verdict);
    statements_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(statements_.size()), statements_.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
    ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  }

 private:
  void add(std::uint32_t call, const std::vector<sock_filter>& body) {
    statements_.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<std::uint8_t>(body.size())));
    statements_.insert(statements_.end(), body.begin(), body.end());
  }
  std::vector<sock_filter> statements_;
  std::vector<std::size_t> to_ids_;
};

void fence(std::uint32_t verdict) {
  if (kMachine == 0) return;
  Filter filter;
  // Who may name the owner of a descriptor lets the kernel send him its signals, SIGKILL too.
  filter.refuse_seconds(SYS_fcntl, {F_SETOWN, F_SETOWN_EX}, verdict);
  filter.refuse_seconds(SYS_ioctl, {FIOSETOWN, SIOCSPGRP}, verdict);
  // One process only: a group or a user has the host among them.
  filter.judge_whom(SYS_setpriority, kSecond, PRIO_PROCESS, verdict);
  filter.judge_whom(SYS_ioprio_set, kSecond, kIoprioWhoProcess, verdict);
  filter.judge_whom(SYS_ptrace, kSecond, std::nullopt, verdict);
  for (const std::uint32_t call :
       {SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open,
        SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
        SYS_process_vm_writev, SYS_process_vm_readv})
    filter.judge_whom(call, kFirst, std::nullopt, verdict);
  filter.enforce(protected_ids(), verdict);
}

std::atomic<bool> tried{false};  // to reach over the fence

// In place of the call that was refused, which is to fail all the same.
void note_attempt(int, siginfo_t*, void* context) {
  tried = true;
  auto* state = static_cast<ucontext_t*>(context);
#if defined(__x86_64__)
  state->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  state->uc_mcontext.regs[0] = static_cast<unsigned long long>(-EPERM);
#else
  static_cast<void>(state);
#endif
}

}  // namespace

void fence_off_parents() { fence(SECCOMP_RET_ERRNO | EPERM); }

void fence_off_parents_and_watch() {
  struct sigaction action {};
  action.sa_sigaction = note_attempt;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
  fence(SECCOMP_RET_TRAP);
}

bool parents_were_signalled() { return tried; }

}  // namespace davit::isolation
