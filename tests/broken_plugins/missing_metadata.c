/* The factory has no metadata function. */
#define OWN_FACTORY
#include "broken.h"
DAVIT_EXPORT const davit_webhook_factory *davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {sizeof factory, 0, 0, 1, NULL, create};
  return &factory;
}
