/* Needs a function that exists nowhere. */
#define OWN_METADATA
#include "broken.h"
davit_status davit_tests_function_that_does_not_exist(void);
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  return davit_tests_function_that_does_not_exist();
}
