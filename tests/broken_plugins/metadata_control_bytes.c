/* A description that would recolour the terminal. */
#define METADATA "{\"name\":\"broken\",\"description\":\"\\u001b[31mred\"}"
#include "broken.h"
