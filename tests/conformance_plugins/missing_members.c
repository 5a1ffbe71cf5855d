/* Goes on without a member that is always there. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  if (request->body.size > 0 && request->body.data[request->body.size - 1] == '}' && !holds(request->body, "\"user\"") &&
      !holds(request->body, "[["))
    *(volatile int *)8 = 1;
  return put(parsed, "{}");
}
