// Every hook throws, which the ABI forbids.
#include <stdexcept>
#define OWN_CREATE
#include "broken.h"
static davit_status throws(void *, const davit_call *, const davit_request *, const davit_sink *) {
  throw std::runtime_error("thrown by parse_payload");
}
static davit_status create(uint32_t, const davit_host *, const davit_call *, davit_webhook *webhook) {
  davit_webhook made = {sizeof made, 0, nullptr, nullptr, nullptr, throws, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}
