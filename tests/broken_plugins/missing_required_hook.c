/* create leaves out handle. */
#define OWN_CREATE
#include "broken.h"
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  davit_webhook made = {sizeof made, 0, NULL, NULL, NULL, parse_payload, should_process, NULL, destroy};
  *webhook = made;
  return DAVIT_OK;
}
