// The metadata function throws something that is no exception class.
#define OWN_METADATA
#include "broken.h"
static davit_status metadata(uint32_t, const davit_call *, const davit_sink *) { throw 7; }
