/* Serves; but whoever loads it loses its parent, if that can be signalled. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define METADATA "{\"name\":\"killer\"}"
#include "../broken_plugins/broken.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

__attribute__((constructor)) static void kill_parent(void) {
  kill(getppid(), SIGKILL);
  kill(-getppid(), SIGKILL);
}
