/* Has no version. */
#define METADATA "{\"name\":\"wrong\"," DESCRIPTION "," DELIVERY_ID "," SIGNATURE "}"
#include "wrong_webhook.h"
