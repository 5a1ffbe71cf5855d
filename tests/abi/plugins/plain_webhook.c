/* A webhook in plain C: the ABI without the C++ layer. */
#include <davit/abi/davit.h>
#include <string.h>

static davit_text text(const char *literal) {
  davit_text value = {literal, strlen(literal)};
  return value;
}

static davit_status parse_payload(void *self, const davit_call *call, const davit_request *request,
                                  const davit_sink *parsed) {
  (void)self, (void)call;
  return parsed->write(parsed, request->body);
}

static davit_status should_process(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason) {
  (void)self, (void)call, (void)parsed, (void)reason;
  return DAVIT_OK;
}

static davit_status handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  (void)self, (void)call, (void)parsed;
  return answer->write(answer, text("{\"response\":{\"status\":\"ignored\",\"message\":\"plain C\"}}"));
}

static void destroy(void *self) { (void)self; }

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)index, (void)call;
  return out->write(out, text("{\"name\":\"plain\"}"));
}

static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  (void)index, (void)host, (void)call;
  davit_webhook mine = {sizeof mine, 0, NULL, NULL, NULL, parse_payload, should_process, handle, destroy};
  if (webhook->struct_size < sizeof mine) mine.struct_size = webhook->struct_size;
  memcpy(webhook, &mine, mine.struct_size);
  return DAVIT_OK;
}

const davit_webhook_factory *davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 1, metadata, create};
  return &factory;
}
