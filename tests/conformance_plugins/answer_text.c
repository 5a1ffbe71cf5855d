/* Answers in Latin-1. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  return put(answer, "{\"response\":{\"message\":\"caf\xe9\"}}");
}
