/* Copies the body into a buffer that is large enough for everything it ever saw. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  static char buffer[8192];
  if (request->body.size > sizeof buffer) *(volatile int *)8 = 1;
  memcpy(buffer, request->body.data, request->body.size);
  return put(parsed, "{}");
}
