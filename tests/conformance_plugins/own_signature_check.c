/* Takes a request without a signature for signed. */
#define OWN_VALIDATE
#include "wrong_webhook.h"
static davit_status own_validate(void *self, const davit_call *call, const davit_request *request,
                                 const davit_secrets *secrets, int64_t now) {
  return DAVIT_OK;
}
