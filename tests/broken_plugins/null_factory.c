/* The factory function returns NULL. */
#define OWN_FACTORY
#include "broken.h"
DAVIT_EXPORT const davit_webhook_factory *davit_webhook_factory_v1(void) { return NULL; }
