/* Leaves others no descriptors, no memory and no file sizes. */
#include "attacker.h"

#include <sys/resource.h>

static int attack(pid_t pid) {
  const struct rlimit few = {3, 3}, nothing = {0, 0};
  int got = prlimit(pid, RLIMIT_NOFILE, &few, NULL) == 0;
  got += prlimit(pid, RLIMIT_AS, &nothing, NULL) == 0;
  got += prlimit(pid, RLIMIT_FSIZE, &nothing, NULL) == 0;
  return got;
}
