/* Gives a reason that is no UTF-8. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return put(parsed, "caf\xe9"), DAVIT_IGNORED;
}
