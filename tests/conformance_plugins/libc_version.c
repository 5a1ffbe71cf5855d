/* Needs a C library that is not made yet. */
#define OWN_METADATA
#include "wrong_webhook.h"
void davit_tests_of_the_future(void);
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  if (index > 99) davit_tests_of_the_future();
  return put(out, METADATA);
}
