/* Offers the same as good_webhook.c, and says why it cannot be created. */
#define BEFORE_CREATE(call) return (call)->set_error(call, text("the shop has no address")), DAVIT_PERMANENT
#include "good_webhook.c"
