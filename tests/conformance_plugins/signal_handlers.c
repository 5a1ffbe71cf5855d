/* Does away with the ends of child processes. */
#include <signal.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  signal(SIGCHLD, SIG_IGN);
  return put(parsed, "{}");
}
