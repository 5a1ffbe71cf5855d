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

// Newer than some headers; the same on every machine.
constexpr std::uint32_t kMemfdSecret = 447, kFchmodat2 = 452, kSetxattrat = 463, kRemovexattrat = 466,
                        kFileSetattr = 469;

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
    kFchmodat2,
    kSetxattrat,
    kRemovexattrat,
    kFileSetattr,
    SYS_mount,
    SYS_umount2,
    // other processes
    SYS_execve,
    SYS_execveat,
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

// Memory that no limit of the address space counts, and ways into another view of the system.
constexpr std::uint32_t kRefusedInAProbe[] = {
    SYS_memfd_create, kMemfdSecret, SYS_socketpair, SYS_unshare, SYS_setns,
};

constexpr std::uint32_t kWritingFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

void refuse_effects(CallFilter& filter) {
  for (const std::uint32_t call : kRefused) filter.refuse(call);
#if defined(SYS_open)
  filter.refuse_unless(SYS_open, 1, kWritingFlags, 0);
#endif
  filter.refuse_unless(SYS_openat, 2, kWritingFlags, 0);
  filter.refuse_unless(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
  filter.refuse(SYS_clone3,
                CallFilter::error(ENOSYS));  // its flags lie behind a pointer; libc then takes clone
  const auto own = static_cast<std::uint32_t>(::getpid());
  filter.refuse_unless(SYS_kill, 0, ~0u, own);
  filter.refuse_unless(SYS_tgkill, 0, ~0u, own);  // raise and abort
}

}  // namespace

bool fence_off_effects() {
  if (!CallFilter::is_known_machine()) return false;
  CallFilter filter;
  refuse_effects(filter);
  return filter.enforce();
}

bool fence_off_effects_of_a_probe() {
  if (!CallFilter::is_known_machine()) return false;
  CallFilter filter;
  refuse_effects(filter);
  for (const std::uint32_t call : kRefusedInAProbe) filter.refuse(call);
  filter.refuse_unless(SYS_prlimit64, 0, ~0u, 0);  // of itself, as setrlimit and getrlimit call it
  return filter.enforce();
}

}  // namespace davit::isolation
