/* Does not say what it does. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DELIVERY_ID "," SIGNATURE "}"
#include "wrong_webhook.h"
