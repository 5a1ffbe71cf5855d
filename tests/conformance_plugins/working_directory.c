/* Goes elsewhere. */
#include <unistd.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return chdir("/usr") == 0 ? put(parsed, "{}") : fail(call, DAVIT_PERMANENT);
}
