/* A description that is no UTF-8. */
#define METADATA "{\"name\":\"broken\",\"description\":\"\xff\xfe\"}"
#include "broken.h"
