/* Makes others the owners of a pipe, whose signals the kernel sends for it: SIGKILL as soon as something is in it. */
#include "attacker.h"

#include <fcntl.h>
#include <signal.h>
#include <asm/sockios.h>
#include <sys/ioctl.h>

static int attack(pid_t pid) {
  int ends[2], got = 0, owner = pid;
  if (pipe(ends) != 0) return 0;
  struct f_owner_ex by_kind = {F_OWNER_PID, pid};
  got += fcntl(ends[0], F_SETOWN, pid) == 0;
  got += fcntl(ends[0], F_SETOWN_EX, &by_kind) == 0;
  got += ioctl(ends[0], FIOSETOWN, &owner) == 0;
  fcntl(ends[0], F_SETSIG, SIGKILL);
  fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
  if (write(ends[1], "x", 1) != 1) got = 0;
  close(ends[0]);
  close(ends[1]);
  return got;
}
