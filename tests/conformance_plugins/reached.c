/* Finds no event interesting. */
#define OWN_DECIDE
#include "wrong_webhook.h"
static davit_status own_decide(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason) {
  return put(reason, "not interesting"), DAVIT_IGNORED;
}
