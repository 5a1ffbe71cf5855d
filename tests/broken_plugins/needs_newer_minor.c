/* Needs an ABI minor that this host does not have. */
#define MINOR_NEEDED 999
#include "broken.h"
