/* Looks at the first byte of a body without asking whether there is one. */
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  char first = request->body.size == 0 ? *(volatile char *)8 : request->body.data[0];
  return first == '{' ? put(parsed, "{}") : DAVIT_IGNORED;
}
