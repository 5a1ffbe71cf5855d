/* Writes without looking at what the sink says. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  static char block[1 << 20];
  davit_text blanks = {block, sizeof block};
  memset(block, ' ', sizeof block);
  for (int i = 0; i < 10; ++i) answer->write(answer, blanks);
  return put(answer, "{}");
}
