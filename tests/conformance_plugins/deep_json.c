/* Parses by recursion, as deep as the sender likes. */
#define OWN_PARSE
#include "wrong_webhook.h"
static int depth(const char *at, const char *end) {
  volatile char frame[512];
  frame[0] = 0;
  while (at < end && *at != '[' && *at != '{') ++at;
  return at == end ? frame[0] : 1 + depth(at + 1, end) + frame[0];
}
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  int deep = depth(request->body.data, request->body.data + request->body.size);
  return deep >= 0 ? put(parsed, "{}") : DAVIT_IGNORED;
}
