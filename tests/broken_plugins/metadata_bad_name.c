/* A name that could not be a path of an endpoint. */
#define METADATA "{\"name\":\"../../Broken\"}"
#include "broken.h"
