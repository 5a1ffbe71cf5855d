/* Is linked with a search path into a folder of its author. */
#include "wrong_webhook.h"
