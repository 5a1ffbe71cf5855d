/* Serves like good_webhook.c, but its constructor never returns in a host: a probe, which is another program line, sees
 * nothing of it. */
#include <unistd.h>
#define IN_THE_HOST() for (;;) pause()
#include "unlike_in_a_probe.h"
