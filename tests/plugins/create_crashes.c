/* Offers the same as good_webhook.c, and crashes when it is created. */
#define BEFORE_CREATE(call) (void)(call), *(volatile int *)8 = 1
#include "good_webhook.c"
