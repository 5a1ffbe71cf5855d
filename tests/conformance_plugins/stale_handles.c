/* Sets the error of a call that is over. */
#define OWN_PARSE
#define OWN_HANDLE
#include "wrong_webhook.h"
static const davit_call *kept;
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  kept = call;
  return put(parsed, "{}");
}
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  if (kept) fail(kept, DAVIT_OK);
  return put(answer, "{}");
}
