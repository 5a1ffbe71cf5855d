/* Writes ten megabytes of metadata and does not look at what the sink says. */
#define OWN_METADATA
#include "broken.h"
static char block[1 << 20];
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  davit_text text = {block, sizeof block};
  memset(block, ' ', sizeof block);
  for (int i = 0; i < 10; ++i) out->write(out, text);
  return put(out, METADATA);
}
