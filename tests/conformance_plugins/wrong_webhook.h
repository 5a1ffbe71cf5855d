/* A webhook that is right in everything but what the file that includes this gets wrong: it defines OWN_PARSE,
 * OWN_DECIDE, OWN_HANDLE, OWN_DESTROY or OWN_VALIDATE and the function, or SELF, or METADATA, or OWN_CREATE. */
#ifndef DAVIT_TESTS_WRONG_WEBHOOK_H
#define DAVIT_TESTS_WRONG_WEBHOOK_H

#define SIGNATURE \
  "\"signature\":{\"headers\":[\"X-Signature\"],\"accept\":[{\"algorithm\":\"hmac-sha256\",\"encoding\":\"hex\"}]}"
#define DELIVERY_ID "\"delivery_id\":{\"header\":\"X-Delivery\"}"
#define DESCRIPTION "\"description\":\"Wrong in one thing.\""
#define VERSION "\"version\":\"1.0.0\""
#ifndef METADATA
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," DELIVERY_ID "," SIGNATURE "}"
#endif
#ifndef OWN_CREATE
#define OWN_CREATE
#define USUAL_CREATE
#endif
#include "../broken_plugins/broken.h"

static UNUSED int holds(davit_text text, const char *word) {
  uint64_t size = strlen(word);
  for (uint64_t i = 0; i + size <= text.size; ++i) {
    if (memcmp(text.data + i, word, size) == 0) return 1;
  }
  return 0;
}
static UNUSED davit_status fail(const davit_call *call, davit_status status) {
  davit_text text = {"it does not work", 16};
  call->set_error(call, text);
  return status;
}

#ifdef OWN_PARSE
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request, const davit_sink *parsed);
#else
#define own_parse parse_payload
#endif
#ifdef OWN_DECIDE
static davit_status own_decide(void *self, const davit_call *call, davit_text parsed, const davit_sink *reason);
#else
#define own_decide should_process
#endif
#ifdef OWN_HANDLE
static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer);
#else
#define own_handle handle
#endif
#ifdef OWN_DESTROY
static void own_destroy(void *self);
#else
#define own_destroy destroy
#endif
#ifdef OWN_VALIDATE
static davit_status own_validate(void *self, const davit_call *call, const davit_request *request,
                                 const davit_secrets *secrets, int64_t now);
#else
#define own_validate NULL
#endif
#ifndef SELF
#define SELF NULL
#endif

#ifdef USUAL_CREATE
static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_webhook *webhook) {
  davit_webhook made = {sizeof made, 0, SELF, own_validate, NULL, own_parse, own_decide, own_handle, own_destroy};
  *webhook = made;
  return DAVIT_OK;
}
#endif

#endif
