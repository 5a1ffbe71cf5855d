/* Reads a member of davit_host that only a later minor has, without asking for it. */
#define OWN_CREATE
#include "wrong_webhook.h"
typedef struct later_host {
  davit_host host;
  void *teleport;
} later_host;
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  void *volatile teleport = ((const later_host *)host)->teleport;
  (void)teleport;
  davit_webhook made = {sizeof made, 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}
