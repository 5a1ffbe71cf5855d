/* Takes the locale of the environment when it is loaded. */
#include <locale.h>
#include "wrong_webhook.h"
__attribute__((constructor)) static void choose(void) { setlocale(LC_ALL, "C.UTF-8"); }
