/* Exports a helper beside its factory. */
#include "wrong_webhook.h"
DAVIT_EXPORT int davit_tests_helper(void) { return 1; }
