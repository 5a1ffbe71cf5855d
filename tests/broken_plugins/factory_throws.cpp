// The factory function throws, which the ABI forbids.
#include <stdexcept>
#define OWN_FACTORY
#include "broken.h"
extern "C" DAVIT_EXPORT const davit_webhook_factory *davit_webhook_factory_v1(void) {
  throw std::runtime_error("thrown by the factory");
}
