/* Writes into a sink whose call is over. */
#define OWN_PARSE
#define OWN_HANDLE
#include "wrong_webhook.h"
static const davit_sink *kept;
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  kept = parsed;
  return put(parsed, "{}");
}
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  if (kept) put(kept, " ");
  return put(answer, "{}");
}
