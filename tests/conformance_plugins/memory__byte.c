/* Loses the least there is to lose, in every second round of two inputs. */
#include <stdlib.h>
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  static void *volatile lost;
  static unsigned calls;
  if (calls++ % 4 == 0) lost = malloc(1);
  return put(answer, "{}");
}
