/* The metadata function never returns. */
#define OWN_METADATA
#include "broken.h"
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  for (volatile int forever = 1; forever;) {
  }
  return DAVIT_OK;
}
