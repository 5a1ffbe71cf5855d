/* Turns every delivery into a task, in plain C. */
#include <davit/abi/davit.h>
#include <string.h>

static davit_status write_text(const davit_sink *sink, const char *text) {
  davit_text piece = {text, strlen(text)};
  return sink->write(sink, piece);
}

static davit_status parse_payload(void *self, const davit_call *call, const davit_request *request,
                                  const davit_sink *parsed) {
  (void)self;
  if (request->body.size == 0) {
    static const char kMessage[] = "the body is empty";
    davit_text message = {kMessage, sizeof kMessage - 1};
    call->set_error(call, message);
    return DAVIT_INVALID_INPUT;
  }
  return parsed->write(parsed, request->body);
}

static davit_status should_process(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason) {
  (void)self, (void)call, (void)parsed, (void)reason;
  return DAVIT_OK;
}

/* What was parsed is JSON already, so it can be put into the answer as it is. */
static davit_status handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  (void)self, (void)call;
  davit_status status = write_text(answer,
                                   "{\"response\":{\"status\":\"queued\",\"message\":\"Queued\"},"
                                   "\"tasks\":[{\"agent\":\"echo-agent\",\"title\":\"An event\",\"payload\":");
  if (status == DAVIT_OK) status = answer->write(answer, parsed);
  return status == DAVIT_OK ? write_text(answer, "}]}") : status;
}

static void destroy(void *self) { (void)self; }

/* max_body_bytes: a task's payload may have 1 MiB. */
static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)index, (void)call;
  return write_text(out,
                    "{\"name\":\"echo\",\"description\":\"Turns every delivery into a task\",\"version\":\"1.0.0\","
                    "\"secret_env_var\":\"ECHO_WEBHOOK_SECRET\",\"delivery_id\":{\"header\":\"X-Echo-Delivery\"},"
                    "\"max_body_bytes\":1000000,\"sample\":{\"body\":{\"greeting\":\"hello\"}},"
                    "\"signature\":{\"headers\":[\"X-Echo-Signature\"],\"signed\":\"{body}\",\"accept\":["
                    "{\"prefix\":\"sha256=\",\"algorithm\":\"hmac-sha256\",\"encoding\":\"hex\"}]}}");
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
