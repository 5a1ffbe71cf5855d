/* Wants more memory of each thread than a loaded library can get. */
#define OWN_METADATA
#include "wrong_webhook.h"
static __thread char room[1 << 20] __attribute__((tls_model("initial-exec")));
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  room[index] = 1;
  return put(out, METADATA);
}
