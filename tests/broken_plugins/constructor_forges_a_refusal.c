/* Loading it says in davit's place that it is still being looked at, for ever. */
#include "broken.h"
#include "forge.h"
__attribute__((constructor)) static void tell(void) {
  forge(5, "{\"code\":\"probing\",\"reason\":\"just a moment\"}");
}
