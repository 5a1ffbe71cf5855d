/* Keeps a pointer to the body and reads it when it is gone. */
#define OWN_PARSE
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_text kept;
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  kept = request->body;
  return put(parsed, "{}");
}
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  volatile char first = kept.size > 0 ? *kept.data : 0;
  return first ? put(answer, "{}") : fail(call, DAVIT_PERMANENT);
}
