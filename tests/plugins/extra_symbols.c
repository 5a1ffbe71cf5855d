/* Serves, and exports functions of the names of what the host itself uses: nobody but this library may get to see them.
 * Loaded into a host, where it ends the process if it is they that are called. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define METADATA "{\"name\":\"extra\"}"
#include "../broken_plugins/broken.h"

#include <stdlib.h>

DAVIT_EXPORT int sqlite3_step(void *statement) { abort(); }
DAVIT_EXPORT int sqlite3_prepare_v3(void) { abort(); }
DAVIT_EXPORT void *EVP_MD_CTX_new(void) { abort(); }
DAVIT_EXPORT int epoll_wait(int epoll, void *events, int count, int milliseconds) { abort(); }
DAVIT_EXPORT const void *davit_no_such_factory(void) { abort(); }
