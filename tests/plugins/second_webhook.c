/* good_webhook.c as its author changed it: it answers something else. */
#define ANSWER "second"
#include "good_webhook.c"
