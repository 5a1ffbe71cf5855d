/* A config_schema with a keyword that nobody would check. */
#define METADATA "{\"name\":\"broken\",\"config_schema\":{\"type\":\"string\",\"format\":\"uri\"}}"
#include "broken.h"
