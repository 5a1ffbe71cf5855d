/* create says it wrote more than there was room for. */
#define OWN_CREATE
#include "broken.h"
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  webhook->struct_size = 4000;
  return DAVIT_OK;
}
