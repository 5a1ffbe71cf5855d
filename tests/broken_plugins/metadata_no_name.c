/* The metadata has no name. */
#define METADATA "{\"description\":\"nameless\"}"
#include "broken.h"
