/* Fills in a struct of a later minor without looking how much room there is. */
#define OWN_CREATE
#include "wrong_webhook.h"
typedef struct later_webhook {
  davit_webhook webhook;
  void *later[4];
} later_webhook;
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  later_webhook made = {{sizeof(davit_webhook), 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy}, {0}};
  *(later_webhook *)webhook = made;
  return DAVIT_OK;
}
