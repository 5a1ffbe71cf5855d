/* Loading it crashes. */
#include "broken.h"
__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }
