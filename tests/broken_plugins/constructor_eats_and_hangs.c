/* Loading it takes memory as a slow machine would see it: much of it when the time is up, and never all. */
#include <stdlib.h>
#include <unistd.h>
#include "broken.h"
__attribute__((constructor)) static void eat(void) {
  for (int i = 0; i < 320; ++i) {
    char *block = malloc(1 << 20);
    if (!block) break;
    memset(block, 1, 1 << 20);
  }
  for (;;) pause();
}
