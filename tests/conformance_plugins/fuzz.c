/* Crashes at a byte that no ordinary sender sends. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  for (uint64_t i = 1; i + 1 < request->body.size; ++i) {
    if (request->body.data[0] == '{' && request->body.data[i] == 0x7f) *(volatile int *)8 = 1;
  }
  return put(parsed, "{}");
}
