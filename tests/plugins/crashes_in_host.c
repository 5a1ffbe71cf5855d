/* Serves like good_webhook.c, but its constructor crashes in a host: a probe, which is another program line, sees
 * nothing of it. */
#define IN_THE_HOST() (*(volatile int *)0 = 1)
#include "unlike_in_a_probe.h"
