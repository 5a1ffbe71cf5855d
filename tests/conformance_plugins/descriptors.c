/* Opens a file and never closes it. */
#include <fcntl.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return open("/dev/null", O_RDONLY) >= 0 ? put(parsed, "{}") : fail(call, DAVIT_RETRYABLE);
}
