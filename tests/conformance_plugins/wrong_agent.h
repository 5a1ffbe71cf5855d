/* An agent that is right in everything but what the file that includes this gets wrong: `work` is its execute. */
#ifndef DAVIT_TESTS_WRONG_AGENT_H
#define DAVIT_TESTS_WRONG_AGENT_H

#include <stdlib.h>
#include <string.h>

#include "davit/abi/davit.h"

typedef struct instance {
  const davit_host *host;
} instance;

static inline davit_text text(const char *literal) {
  davit_text made = {literal, strlen(literal)};
  return made;
}
static inline davit_status put(const davit_sink *sink, const char *literal) { return sink->write(sink, text(literal)); }

static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result);

static davit_status execute(void *self, const davit_call *call, davit_text context, const davit_sink *result) {
  return work(self, call, context, result);
}
#ifdef OWN_DESTROY
static void destroy(void *self);
#else
static void destroy(void *self) { free(self); }
#endif

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  return put(out, "{\"name\":\"wrong-agent\",\"version\":\"1.0.0\",\"description\":\"Wrong in one thing.\"}");
}
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_agent *agent) {
  instance *me = calloc(1, sizeof *me);
  if (!me) return DAVIT_RETRYABLE;
  me->host = host;
  davit_agent made = {sizeof made, 0, me, NULL, execute, NULL, NULL, NULL, destroy};
  *agent = made;
  return DAVIT_OK;
}
DAVIT_EXPORT const davit_agent_factory *davit_agent_factory_v1(void) {
  static const davit_agent_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 1, metadata, create};
  return &factory;
}

#endif
