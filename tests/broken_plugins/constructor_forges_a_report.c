/* Loading it tells in davit's place what it offers: something else than its metadata says. */
#include "broken.h"
#include "forge.h"
__attribute__((constructor)) static void tell(void) {
  forge(7, "{\"abi_minor_needed\":0,\"abi_minor_built\":0,\"offers\":"
           "[{\"kind\":\"webhook\",\"index\":0,\"metadata\":{\"name\":\"forged\"}}]}");
}
