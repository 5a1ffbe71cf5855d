/* Loading it takes memory until there is none. */
#include <stdlib.h>
#include "broken.h"
__attribute__((constructor)) static void eat(void) {
  for (int i = 0; i < 4096; ++i) {
    char *block = malloc(1 << 20);
    if (!block) abort();
    memset(block, 1, 1 << 20);
  }
}
