/* Crashes whenever it is asked to handle something. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  *(volatile int *)8 = 1;
  return DAVIT_OK;
}
