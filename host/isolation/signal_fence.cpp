// seccomp(2): the filter sees the numbers of a call and its first argument, which is all that is looked at.
#include "host/isolation/signal_fence.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
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

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

}  // namespace

void fence_off_parents() {
  if (kMachine == 0) return;
  const pid_t host = ::getppid();
  std::vector<std::uint32_t> protected_ids{static_cast<std::uint32_t>(-1), static_cast<std::uint32_t>(host),
                                           static_cast<std::uint32_t>(-host)};
  if (const pid_t supervisor = parent_of(host); supervisor > 0) {
    protected_ids.push_back(static_cast<std::uint32_t>(supervisor));
    protected_ids.push_back(static_cast<std::uint32_t>(-supervisor));
  }
  constexpr std::uint32_t kCalls[] = {
      SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open};

  // Jumps count the statements that they leave out; the last two are "refuse" and "allow".
  std::vector<sock_filter> filter;
  const auto refuse_is_behind = [&](std::size_t left) { return static_cast<std::uint8_t>(left); };
  const std::size_t ids = protected_ids.size(), calls = std::size(kCalls);
  filter.push_back(load(offsetof(seccomp_data, arch)));
  // Another machine's calls (32-bit ones) have other numbers: none of them.
  filter.push_back(
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 0, refuse_is_behind(1 + 1 + calls + 1 + 1 + ids)));
  filter.push_back(load(offsetof(seccomp_data, nr)));
  // x32 has this bit; on other machines no call has a number as high.
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, refuse_is_behind(calls + 1 + 1 + ids), 0));
  for (std::size_t i = 0; i < calls; ++i) {
    const auto to_argument = static_cast<std::uint8_t>(calls - i);  // over the rest and the jump behind
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kCalls[i], to_argument, 0));
  }
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(1 + ids + 1), 0, 0));  // allow
  filter.push_back(load(offsetof(seccomp_data, args[0])));  // the low half: all of these are ints
  for (std::size_t i = 0; i < ids; ++i) {
    const bool last = i + 1 == ids;
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protected_ids[i], refuse_is_behind(ids - i - 1),
                              static_cast<std::uint8_t>(last ? 1 : 0)));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));

  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

}  // namespace davit::isolation
