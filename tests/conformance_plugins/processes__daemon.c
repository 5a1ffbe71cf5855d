/* Leaves a process behind that hides in a session of its own. */
#include <sys/wait.h>
#include <unistd.h>
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    for (;;) pause();
  }
  waitpid(child, NULL, 0);
  return put(result, "{\"success\":true}");
}
