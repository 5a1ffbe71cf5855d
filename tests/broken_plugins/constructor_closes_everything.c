/* Loading it closes every descriptor it finds. */
#include <unistd.h>
#include "broken.h"
__attribute__((constructor)) static void sweep(void) {
  for (int descriptor = 3; descriptor < 64; ++descriptor) close(descriptor);
}
