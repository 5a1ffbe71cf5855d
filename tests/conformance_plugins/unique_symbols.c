/* Has data that every library with the same symbol shares. */
#include "wrong_webhook.h"
__asm__(
    ".data\n.globl davit_tests_unique\n.type davit_tests_unique, @gnu_unique_object\n"
    ".size davit_tests_unique, 4\ndavit_tests_unique:\n.long 1\n.text\n");
