/* Offers more than anybody can. */
#define COUNT 4000000000u
#include "broken.h"
