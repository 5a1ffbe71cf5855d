/* create fails and says why. */
#define OWN_CREATE
#include "broken.h"
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  davit_text text = {"the sender's API key is missing", 31};
  call->set_error(call, text);
  return DAVIT_PERMANENT;
}
