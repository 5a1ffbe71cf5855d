/* The metadata is no JSON. */
#define METADATA "name: broken"
#include "broken.h"
