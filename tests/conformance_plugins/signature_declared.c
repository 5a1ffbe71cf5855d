/* Declares no signature. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," DELIVERY_ID "}"
#include "wrong_webhook.h"
