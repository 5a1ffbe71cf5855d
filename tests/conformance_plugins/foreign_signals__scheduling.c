/* Lets others run last, and on one processor only. */
#include "attacker.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int attack(pid_t pid) {
  struct sched_param plain = {0};
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  int got = setpriority(PRIO_PROCESS, pid, 19) == 0;
  got += sched_setscheduler(pid, SCHED_IDLE, &plain) == 0;
  got += sched_setaffinity(pid, sizeof first, &first) == 0;
  got += syscall(SYS_ioprio_set, 1, pid, 3 << 13) == 0;
  return got;
}
