/* Sets a variable for the programs it starts, and for everybody else. */
#include <stdlib.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  setenv("DAVIT_TESTS_VARIABLE", "1", 1);
  return put(parsed, "{}");
}
