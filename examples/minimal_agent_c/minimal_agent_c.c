/* Gives its context back as its output, in plain C. */
#include <davit/abi/davit.h>
#include <stdlib.h>
#include <string.h>

typedef struct echo_agent {
  const davit_host *host; /* valid until destroy() */
} echo_agent;

static davit_text text(const char *literal) {
  davit_text value = {literal, strlen(literal)};
  return value;
}

static davit_status execute(void *self, const davit_call *call, davit_text context, const davit_sink *result) {
  const davit_host *host = ((echo_agent *)self)->host;
  const davit_progress_v1 *progress = host->service(host, text(DAVIT_SERVICE_PROGRESS));
  if (progress) progress->report(call, 0.5, text("echo"), text("Half way"));
  if (call->is_cancelled(call)) return DAVIT_CANCELLED;
  davit_status status = result->write(result, text("{\"success\":true,\"output\":{\"context\":"));
  if (status == DAVIT_OK) status = result->write(result, context);
  return status == DAVIT_OK ? result->write(result, text("}}")) : status;
}

static void destroy(void *self) { free(self); }

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)index, (void)call;
  return out->write(out, text("{\"name\":\"echo-agent\",\"display_name\":\"Echo Agent\","
                              "\"description\":\"Gives its context back\",\"capabilities\":[\"analysis\"],\"version\":\"1.0.0\"}"));
}

/* The host says how much room there is: never write more than that. */
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_agent *agent) {
  (void)index;
  echo_agent *self = malloc(sizeof *self);
  if (!self) {
    call->set_error(call, text("out of memory"));
    return DAVIT_RETRYABLE;
  }
  self->host = host;
  davit_agent mine = {.struct_size = sizeof mine, .self = self, .execute = execute, .destroy = destroy};
  if (agent->struct_size < sizeof mine) mine.struct_size = agent->struct_size;
  memcpy(agent, &mine, mine.struct_size);
  return DAVIT_OK;
}

const davit_agent_factory *davit_agent_factory_v1(void) {
  static const davit_agent_factory factory = {.struct_size = sizeof factory,
                                              .abi_minor_needed = 0,
                                              .abi_minor_built = DAVIT_ABI_MINOR,
                                              .count = 1,
                                              .metadata = metadata,
                                              .create = create};
  return &factory;
}
