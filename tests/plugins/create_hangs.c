/* Offers the same as good_webhook.c, and says that it never comes back when it is created. */
#include <unistd.h>
#define BEFORE_CREATE(call)                                                                            \
  for (host->log(host, DAVIT_LOG_INFO, text("create hangs from now on"), text("{}")), (void)(call);;) \
  pause()
#include "good_webhook.c"
