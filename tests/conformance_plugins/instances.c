/* Keeps its state in one variable of the library, which the first destroy frees. */
#include <stdlib.h>
#define OWN_PARSE
#define OWN_DESTROY
#define SELF (shared = shared ? shared : calloc(1, 64))
static char *shared;
#include "wrong_webhook.h"
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  ++*(volatile char *)shared;
  return put(parsed, "{}");
}
static void own_destroy(void *self) {
  free(shared);
  shared = NULL;
}
