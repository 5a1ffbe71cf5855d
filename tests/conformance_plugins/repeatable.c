/* Numbers its answers. */
#include <stdio.h>
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  static int number;
  char text[64];
  snprintf(text, sizeof text, "{\"response\":{\"message\":\"answer %d\"}}", ++number);
  return put(answer, text);
}
