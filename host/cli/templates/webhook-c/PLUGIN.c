/* Turns deliveries of @TITLE@ into tasks. */
#include <davit/abi/davit.h>
#include <string.h>
#include <strings.h>

static davit_text text(const char *literal) {
  davit_text value = {literal, strlen(literal)};
  return value;
}

static int equal(davit_text a, const char *b) { return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0; }

/* The first header of that name, in any case; empty if there is none. */
static davit_text header(const davit_request *request, const char *name) {
  for (uint64_t i = 0; i < request->header_count; ++i) {
    const davit_text known = request->headers[i].name;
    if (known.size == strlen(name) && strncasecmp(known.data, name, known.size) == 0) return request->headers[i].value;
  }
  return text("");
}

/* What is this about? Writes JSON for the next hooks; here, the body: the host lets none pass that is no JSON. */
static davit_status parse_payload(void *self, const davit_call *call, const davit_request *request,
                                  const davit_sink *parsed) {
  (void)self;
  if (!equal(header(request, "@HEADER@-Event"), "failed")) {
    parsed->write(parsed, text("nothing failed"));
    return DAVIT_IGNORED;
  }
  if (request->body.size == 0) {
    call->set_error(call, text("the body is empty"));
    return DAVIT_INVALID_INPUT;
  }
  return parsed->write(parsed, request->body);
}

/* Shall anything happen? */
static davit_status should_process(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason) {
  (void)self, (void)call, (void)parsed, (void)reason;
  return DAVIT_OK;
}

/* What shall happen? The host does it; this only says so. */
static davit_status handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  (void)self, (void)call;
  davit_status status =
      answer->write(answer, text("{\"response\":{\"status\":\"queued\",\"message\":\"Looking into it\"},\"tasks\":["
                                 "{\"agent\":\"command-agent\",\"title\":\"Something failed\",\"payload\":"));
  if (status == DAVIT_OK) status = answer->write(answer, parsed);
  return status == DAVIT_OK ? answer->write(answer, text("}]}")) : status;
}

static void destroy(void *self) { (void)self; }

/* The host checks the signature as this says. max_body_bytes: a task's payload may have 1 MiB. */
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)index, (void)call;
  return out->write(out, text("{\"name\":\"@NAME@\",\"description\":\"Deliveries of @TITLE@\",\"version\":\"1.0.0\","
                              "\"secret_env_var\":\"@VARIABLE@\",\"event_header\":\"@HEADER@-Event\","
                              "\"delivery_id\":{\"header\":\"@HEADER@-Delivery\"},\"max_body_bytes\":1000000,"
                              "\"sample\":{\"headers\":{\"@HEADER@-Event\":\"failed\"},\"body\":{\"id\":1}},"
                              "\"signature\":{\"headers\":[\"@HEADER@-Signature\"],\"signed\":\"{body}\",\"accept\":["
                              "{\"prefix\":\"sha256=\",\"algorithm\":\"hmac-sha256\",\"encoding\":\"hex\"}]}}"));
}

/* The host says how much room there is: never write more than that. */
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  (void)index, (void)host, (void)call;
  davit_webhook mine = {.struct_size = sizeof mine,
                        .parse_payload = parse_payload,
                        .should_process = should_process,
                        .handle = handle,
                        .destroy = destroy};
  if (webhook->struct_size < sizeof mine) mine.struct_size = webhook->struct_size;
  memcpy(webhook, &mine, mine.struct_size);
  return DAVIT_OK;
}

const davit_webhook_factory *davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {.struct_size = sizeof factory,
                                                .abi_minor_needed = 0,
                                                .abi_minor_built = DAVIT_ABI_MINOR,
                                                .count = 1,
                                                .metadata = metadata,
                                                .create = create};
  return &factory;
}
