/* Closes every descriptor it finds when it is loaded. */
#include <unistd.h>
#include "wrong_webhook.h"
__attribute__((constructor)) static void sweep(void) {
  for (int descriptor = 3; descriptor < 64; ++descriptor) close(descriptor);
}
