/* Ends the process that started it, if that can be signalled. */
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  kill(getppid(), SIGKILL);
  return put(parsed, "{}");
}
