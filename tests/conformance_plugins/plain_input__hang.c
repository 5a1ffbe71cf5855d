/* Never comes back from a hook. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  for (volatile int forever = 1; forever;) {
  }
  return DAVIT_OK;
}
