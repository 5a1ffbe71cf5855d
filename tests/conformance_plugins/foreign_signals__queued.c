/* Sends signals by all the other ways there are: to a thread, with a value, by a descriptor of the process. */
#include "attacker.h"

#include <signal.h>
#include <sys/syscall.h>

static int attack(pid_t pid) {
  siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
  int got = kill(pid, SIGTERM) == 0;
  got += syscall(SYS_tkill, pid, SIGTERM) == 0;
  got += syscall(SYS_tgkill, pid, pid, SIGTERM) == 0;
  got += syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info) == 0;
  const long descriptor = syscall(SYS_pidfd_open, pid, 0);
  if (descriptor >= 0) got += syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, NULL, 0) == 0;
  return got;
}
