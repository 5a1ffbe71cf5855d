/* Returns a number that is no status. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  return 77;
}
