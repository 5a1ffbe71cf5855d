/* create says its struct ends before handle. */
#define OWN_CREATE
#include "broken.h"
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  davit_webhook made = {24, 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}
