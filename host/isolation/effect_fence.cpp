// Calls whose meaning lies behind a pointer are refused as a whole, or said not to exist where libc has
// another way.
#include "host/isolation/effect_fence.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "host/isolation/call_filter.h"

namespace davit::isolation {
namespace {

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

}  // namespace

bool fence_off_effects() {
  if (!CallFilter::is_known_machine()) return false;
  CallFilter filter;
  for (const std::uint32_t call : kRefused) filter.refuse(call);
#if defined(SYS_open)
  filter.refuse_unless(SYS_open, 1, kWritingFlags, 0);
#endif
  filter.refuse_unless(SYS_openat, 2, kWritingFlags, 0);
  filter.refuse_unless(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
  filter.refuse(SYS_clone3,
                CallFilter::error(ENOSYS));  // its flags lie behind a pointer; libc then takes clone
  filter.refuse_unless(SYS_tgkill, 0, ~0u, static_cast<std::uint32_t>(::getpid()));  // raise and abort
  return filter.enforce();
}

}  // namespace davit::isolation
