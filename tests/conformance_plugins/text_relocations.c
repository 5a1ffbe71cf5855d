/* Has an address in its code that the loader must write there. */
#include "wrong_webhook.h"
__asm__(".text\n.globl davit_tests_address\n.hidden davit_tests_address\ndavit_tests_address:\n.quad puts\n");
