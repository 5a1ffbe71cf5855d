/* Answers with a task for nobody. */
#define OWN_HANDLE
#include "wrong_webhook.h"
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  return put(answer, "{\"tasks\":[{\"title\":\"for whom?\"}]}");
}
