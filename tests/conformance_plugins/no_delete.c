/* Is linked with -z nodelete. */
#include "wrong_webhook.h"
