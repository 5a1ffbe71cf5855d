/* What every broken plugin needs: all that it does not get wrong. Each file defines at most a few of the macros below. */
#ifndef DAVIT_TESTS_BROKEN_H
#define DAVIT_TESTS_BROKEN_H

#include <stddef.h>
#include <string.h>

#include "davit/abi/davit.h"

#define UNUSED __attribute__((unused))

static UNUSED davit_status put(const davit_sink *sink, const char *literal) {
  davit_text text = {literal, strlen(literal)};
  return sink->write(sink, text);
}

static UNUSED davit_status parse_payload(void *self, const davit_call *call, const davit_request *request,
                                         const davit_sink *parsed) {
  return put(parsed, "{}");
}
static UNUSED davit_status should_process(void *self, const davit_call *call, davit_text parsed,
                                          const davit_sink *reason) {
  return DAVIT_OK;
}
static UNUSED davit_status handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  return put(answer, "{}");
}
static UNUSED void destroy(void *self) {}

#ifndef METADATA
#define METADATA "{\"name\":\"broken\"}"
#endif
#ifdef OWN_METADATA
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out);
#else
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  return put(out, METADATA);
}
#endif

#ifdef OWN_CREATE
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook);
#else
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  davit_webhook made = {sizeof made, 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}
#endif

#ifndef STRUCT_SIZE
#define STRUCT_SIZE sizeof(davit_webhook_factory)
#endif
#ifndef MINOR_NEEDED
#define MINOR_NEEDED 0
#endif
#ifndef COUNT
#define COUNT 1
#endif
#ifndef OWN_FACTORY
DAVIT_EXPORT const davit_webhook_factory *davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {STRUCT_SIZE, MINOR_NEEDED, DAVIT_ABI_MINOR, COUNT, metadata, create};
  return &factory;
}
#endif

#endif
