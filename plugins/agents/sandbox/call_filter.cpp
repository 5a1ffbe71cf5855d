// Of an argument the low half is looked at, which is all of an int; clone's flags fit it, too.
#include "sandbox/call_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "davit/failure.hpp"

namespace sandbox {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;
#endif

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;  // programs then do it another way

constexpr std::uint32_t kRefusedCalls[] = {
    // namespaces and mounts
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    // the kernel itself
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    // large and often broken parts of it that no program here needs
    SYS_bpf,
    SYS_perf_event_open,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_userfaultfd,
    SYS_fanotify_init,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_lookup_dcookie,
    // keys belong to the user, in whatever namespace
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_move_pages,
    SYS_migrate_pages,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};

constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint32_t kTiocsti = TIOCSTI;  // types a line into the terminal of whoever started davit
constexpr std::uint32_t kTioclinux = TIOCLINUX;

// Statements are met in their order with the number of the call loaded; one that is about a call loads it
// again at its end.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0));
    give(kRefuse);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));  // x32
    give(kRefuse);
#endif
  }

  void answer(std::uint32_t call, std::uint32_t verdict) {
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    give(verdict);
  }
  // Any of these bits in the argument.
  void refuse_bits(std::uint32_t call, int argument, std::uint32_t bits) {
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
    load_argument(argument);
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    give(kRefuse);
    load(offsetof(seccomp_data, nr));
  }
  void refuse_value(std::uint32_t call, int argument, std::uint32_t value) {
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
    load_argument(argument);
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    give(kRefuse);
    load(offsetof(seccomp_data, nr));
  }
  // Sockets of these families, and netlink only for questions about routes, which programs list their own
  // interfaces by.
  void allow_sockets(std::initializer_list<std::uint32_t> families) {
    const auto after = static_cast<std::uint8_t>(2 * families.size() + 6);
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, after));
    load_argument(0);
    for (const std::uint32_t family : families) {
      statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1));
      give(SECCOMP_RET_ALLOW);
    }
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3));
    load_argument(2);
    statements_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, 0, 1));
    give(SECCOMP_RET_ALLOW);
    give(kRefuse);
  }

  std::string bytes() && {
    give(SECCOMP_RET_ALLOW);
    return {reinterpret_cast<const char*>(statements_.data()), statements_.size() * sizeof(sock_filter)};
  }

 private:
  void give(std::uint32_t verdict) { statements_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
  void load(std::size_t offset) {
    statements_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void load_argument(int number) {
    load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<std::size_t>(number));
  }

  std::vector<sock_filter> statements_;
};

}  // namespace

std::string call_filter() {
  if (kMachine == 0)
    throw davit::Failure::permanent(
        "the sandbox cannot be made: it knows the system calls of x86-64 and of 64-bit ARM machines only");
  Filter filter;
  for (const std::uint32_t call : kRefusedCalls) filter.answer(call, kRefuse);
  filter.answer(SYS_clone3, kUnknown);  // its flags lie where no filter sees them
  filter.refuse_bits(SYS_clone, 0, kNewNamespaces);
  filter.refuse_value(SYS_ioctl, 1, kTiocsti);
  filter.refuse_value(SYS_ioctl, 1, kTioclinux);
  filter.allow_sockets({AF_UNIX, AF_INET, AF_INET6});
  return std::move(filter).bytes();
}

}  // namespace sandbox
