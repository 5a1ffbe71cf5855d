/* The metadata function fails and says why. */
#define OWN_METADATA
#include "broken.h"
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  davit_text text = {"the licence has run out", 23};
  call->set_error(call, text);
  return DAVIT_PERMANENT;
}
