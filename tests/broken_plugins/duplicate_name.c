/* Two webhooks with one name. */
#define COUNT 2
#include "broken.h"
