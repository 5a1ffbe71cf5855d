/* Wants an empty body to be tried again. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return request->body.size == 0 ? fail(call, DAVIT_RETRYABLE) : put(parsed, "{}");
}
