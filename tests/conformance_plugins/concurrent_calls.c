/* Keeps the body of a call in a variable of the library. */
#include <sched.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_text now;
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  now = request->body;
  for (int i = 0; i < 20; ++i) sched_yield();
  return now.size == 0 ? put(parsed, "null") : parsed->write(parsed, now);
}
