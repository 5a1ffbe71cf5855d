/* Loading it writes to every descriptor it finds. */
#include <unistd.h>
#include "broken.h"
__attribute__((constructor)) static void scrawl(void) {
  static const char garbage[100] = "this is no frame";
  for (int descriptor = 3; descriptor <= 100; ++descriptor) (void)!write(descriptor, garbage, sizeof garbage);
}
