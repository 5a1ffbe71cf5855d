/* Lets everybody read what anybody writes. */
#include <sys/stat.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  umask(0);
  return put(parsed, "{}");
}
