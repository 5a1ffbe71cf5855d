// seccomp(2): the filter sees the numbers of a call and its first argument, which is all that is looked at.
#include "host/isolation/signal_fence.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
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

constexpr std::size_t kMostIds = 1000;  // a filter has 4096 statements at most

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
// number of any thread for its process.
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

void fence(std::uint32_t verdict) {
  if (kMachine == 0) return;
  constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  constexpr std::uint32_t kCalls[] = {
      SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open};
  std::vector<sock_filter> filter;
  // Another machine's calls (32-bit ones) have other numbers: none of them.
  filter.push_back(load(offsetof(seccomp_data, arch)));
  judge(filter, BPF_JEQ, kMachine, kUnequal, kRefuse);
  filter.push_back(load(offsetof(seccomp_data, nr)));
  // x32 has this bit; on other machines no call has a number as high.
  judge(filter, BPF_JGE, 0x40000000, kEqual, kRefuse);
  for (std::size_t i = 0; i < std::size(kCalls); ++i) {
    const auto to_argument = static_cast<std::uint8_t>(std::size(kCalls) - i);  // over the rest and "allow"
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kCalls[i], to_argument, 0));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  filter.push_back(load(offsetof(seccomp_data, args[0])));  // the low half: all of these are ints
  for (const std::uint32_t id : protected_ids()) judge(filter, BPF_JEQ, id, kEqual, verdict);
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));

  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
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
