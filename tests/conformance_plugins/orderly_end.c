/* Aborts when the process ends in which it was loaded. */
#include <stdlib.h>
#include "wrong_webhook.h"
__attribute__((destructor)) static void end(void) { abort(); }
