/* Offers nothing. */
#define COUNT 0
#include "broken.h"
