/* Forgets to free what it allocated. */
#include <stdlib.h>
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  char *copy = malloc(parsed.size + 100);
  memset(copy, 0, parsed.size + 100);
  return put(answer, *(volatile char *)copy ? "" : "{}");
}
