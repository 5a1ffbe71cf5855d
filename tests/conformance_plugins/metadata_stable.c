/* Counts how often it was asked for its metadata, and says so. */
#include <stdio.h>
#define OWN_METADATA
#include "wrong_webhook.h"
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  static int asked;
  char text[400];
  snprintf(text, sizeof text, "{\"name\":\"wrong\"," VERSION ",\"description\":\"Asked %d times.\"," DELIVERY_ID "," SIGNATURE "}",
           ++asked);
  return put(out, text);
}
