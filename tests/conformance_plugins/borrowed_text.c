/* Takes the body for NUL-terminated. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return strlen(request->body.data) == request->body.size ? put(parsed, "{}") : DAVIT_IGNORED;
}
