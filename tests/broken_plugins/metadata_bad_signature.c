/* A signature scheme with an algorithm nobody should use. */
#define METADATA \
  "{\"name\":\"broken\",\"signature\":{\"headers\":[\"X-S\"],\"accept\":[{\"algorithm\":\"hmac-sha1\",\"encoding\":\"hex\"}]}}"
#include "broken.h"
