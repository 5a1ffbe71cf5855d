/* Allows itself fewer descriptors, and everybody else. */
#include <sys/resource.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  struct rlimit limit = {50, 50};
  setrlimit(RLIMIT_NOFILE, &limit);
  return put(parsed, "{}");
}
