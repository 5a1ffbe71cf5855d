/* Needs a library that is not there. */
#define OWN_METADATA
#include "wrong_webhook.h"
void davit_tests_absent(void);
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  if (index > 99) davit_tests_absent();
  return put(out, METADATA);
}
