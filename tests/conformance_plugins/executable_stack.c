/* Is linked with -z execstack. */
#include "wrong_webhook.h"
