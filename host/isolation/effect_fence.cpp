// seccomp(2): the filter sees the number of a call and its arguments, but not what they point to. So calls
// whose meaning lies behind a pointer are refused as a whole, or said not to exist where libc has another
// way.
#include "host/isolation/effect_fence.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
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

constexpr std::uint32_t kRefused[] = {
    // the network; io_uring does all of this and more without further calls
    SYS_socket,
    SYS_io_uring_setup,
    // files: whatever changes one by its name, or by a descriptor that may be open for reading
    SYS_openat2,
    SYS_open_by_handle_at,
    SYS_truncate,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mknodat,
    SYS_fchmodat,
    SYS_fchmod,
    SYS_fchownat,
    SYS_fchown,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_mount,
    SYS_umount2,
    // other processes
    SYS_execve,
    SYS_execveat,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_ptrace,
    SYS_process_vm_writev,
    // what is shared with them
    SYS_shmget,
    SYS_shmat,
    SYS_msgget,
    SYS_msgsnd,
    SYS_semget,
    SYS_semop,
    SYS_semtimedop,
    SYS_mq_open,
    SYS_mq_unlink,
#if defined(__x86_64__)
    // the older names of the same
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_symlink,
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_fork,
    SYS_vfork,
#endif
};

constexpr std::uint32_t kWritingFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

// Each rule stands for itself: it jumps over no other.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    // Another machine's calls (32-bit ones) have other numbers: none of them.
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0));
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
    // x32 has this bit; on other machines no call has a number as high.
    add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    refuse(EPERM);
  }
  void refuse_call(std::uint32_t call, int with = EPERM) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    refuse(with);
  }
  // Of an argument only the low half is seen, which is all of an int.
  void refuse_unless(std::uint32_t call, int argument, std::uint32_t mask, std::uint32_t value) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 5));
    load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<std::size_t>(argument));
    add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
  }
  // The rest is allowed. False if the kernel takes no filter.
  bool put_into_force() {
    add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(statements_.size()), statements_.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
  }

 private:
  void add(sock_filter statement) { statements_.push_back(statement); }
  void load(std::size_t offset) {
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void refuse(int with) {
    add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(with)));
  }
  std::vector<sock_filter> statements_;
};

}  // namespace

bool fence_off_effects() {
  if (kMachine == 0) return false;
  Filter filter;
  for (const std::uint32_t call : kRefused) filter.refuse_call(call);
#if defined(SYS_open)
  filter.refuse_unless(SYS_open, 1, kWritingFlags, 0);
#endif
  filter.refuse_unless(SYS_openat, 2, kWritingFlags, 0);
  filter.refuse_unless(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
  filter.refuse_call(SYS_clone3, ENOSYS);  // its flags lie behind a pointer; libc then takes clone
  filter.refuse_unless(SYS_tgkill, 0, ~0u, static_cast<std::uint32_t>(::getpid()));  // raise and abort
  return filter.put_into_force();
}

}  // namespace davit::isolation
