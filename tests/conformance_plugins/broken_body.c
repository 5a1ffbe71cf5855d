/* Relies on a closing brace. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  uint64_t end = request->body.size;
  if (end == 0) return DAVIT_IGNORED;
  if (request->body.data[end - 1] != '}' && request->body.data[end - 1] != ']') *(volatile int *)8 = 1;
  return put(parsed, "{}");
}
