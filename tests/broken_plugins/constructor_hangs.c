/* Loading it never ends. */
#include "broken.h"
__attribute__((constructor)) static void stay(void) {
  for (volatile int forever = 1; forever;) {
  }
}
