/* Does not say where its sender's delivery id is. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," SIGNATURE "}"
#include "wrong_webhook.h"
