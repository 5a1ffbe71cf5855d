/* Ends the process from a hook. */
#include <stdlib.h>
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  exit(0);
}
