/* The metadata function reads from nowhere. */
#define OWN_METADATA
#include "broken.h"
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  return *(volatile int *)8;
}
