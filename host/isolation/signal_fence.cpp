#include "host/isolation/signal_fence.h"

#include <asm/sockios.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
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
#include <optional>
#include <string>
#include <vector>

#include "host/isolation/call_filter.h"

namespace davit::isolation {
namespace {

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

void fence(std::uint32_t verdict) {
  if (!CallFilter::is_known_machine()) return;
  CallFilter filter;
  // Who may name the owner of a descriptor lets the kernel send him its signals, SIGKILL too.
  filter.refuse_if(SYS_fcntl, 1, {F_SETOWN, F_SETOWN_EX}, verdict);
  filter.refuse_if(SYS_ioctl, 1, {FIOSETOWN, SIOCSPGRP}, verdict);
  // One process only: a group or a user has the host among them.
  filter.refuse_for(SYS_setpriority, 1, PRIO_PROCESS, verdict);
  filter.refuse_for(SYS_ioprio_set, 1, kIoprioWhoProcess, verdict);
  filter.refuse_for(SYS_ptrace, 1, std::nullopt, verdict);
  for (const std::uint32_t call :
       {SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open,
        SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
        SYS_process_vm_writev, SYS_process_vm_readv})
    filter.refuse_for(call, 0, std::nullopt, verdict);
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

void fence_off_parents() { fence(CallFilter::kRefuse); }

void fence_off_parents_and_watch() {
  struct sigaction action {};
  action.sa_sigaction = note_attempt;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
  fence(SECCOMP_RET_TRAP);
}

bool parents_were_signalled() { return tried; }

}  // namespace davit::isolation
