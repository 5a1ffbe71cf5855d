/* Takes the first header for what it expects. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  if (request->header_count == 0) *(volatile int *)8 = 1;
  return put(parsed, "{}");
}
