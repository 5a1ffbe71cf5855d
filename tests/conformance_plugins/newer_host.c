/* Lives with a davit_host of exactly the size it knows. */
#define OWN_CREATE
#include <stdlib.h>
#include "wrong_webhook.h"
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  if (host->struct_size != sizeof(davit_host)) abort();
  davit_webhook made = {sizeof made, 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}
