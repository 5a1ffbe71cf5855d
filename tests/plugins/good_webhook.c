/* A webhook for tests, in plain C. Its config says how it behaves:
 *   {"mode": "echo"}    (default) one task for command-agent with the body as payload
 *           "ignore"    parse_payload: none of its business
 *           "decline"   should_process says no
 *           "invalid"   parse_payload: malformed
 *           "limited"   handle: rate limited
 *           "garbage"   handle answers with what is no JSON
 *           "crash" "hang" "exit"   handle does that
 *           "slow"      handle sleeps 300 ms
 *           "obey"      handle does what the body says: "crash-now", "hang-now", "exit-now", "close-now"
 *                      (all descriptors), "wait-now" (for "file" to exist), "thread-crash"
 *                      (once "file" exists); else as echo
 *           "huge"      handle writes until the sink refuses, and says OK
 *           "verbatim"  handle answers with the body
 *           "cannot"    handle says that it cannot handle it
 *           "no_sentence"   handle fails as permanent without an error text
 *           "challenge" answers before verification with the query */
#define _GNU_SOURCE /* close_range */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "davit/abi/davit.h"

/* Variants of it are files that define these and include it. */
#ifndef ANSWER
#define ANSWER "echo"
#endif
#ifndef BEFORE_CREATE
#define BEFORE_CREATE(call) (void)(call)
#endif

typedef struct instance {
  const davit_host* host;
  char mode[32];
} instance;

static davit_text text(const char* literal) {
  davit_text t = {literal, strlen(literal)};
  return t;
}

static davit_status put(const davit_sink* sink, const char* literal) {
  return sink->write(sink, text(literal));
}

/* The value of "mode" in the config; good enough for what tests write. */
static void read_mode(davit_text config, char mode[32]) {
  const char* key = "\"mode\":\"";
  strcpy(mode, "echo");
  for (uint64_t i = 0; i + strlen(key) < config.size; ++i) {
    if (memcmp(config.data + i, key, strlen(key)) != 0) continue;
    uint64_t from = i + strlen(key), n = 0;
    while (from + n < config.size && config.data[from + n] != '"' && n < 31) ++n;
    memcpy(mode, config.data + from, n);
    mode[n] = 0;
  }
}

static davit_status validate_signature(void* self, const davit_call* call, const davit_request* request,
                                       const davit_secrets* secrets, int64_t now_unix_ms) {
  (void)self, (void)call, (void)now_unix_ms;
  /* The header X-Plain-Secret must be one of the secrets. */
  for (uint64_t h = 0; h < request->header_count; ++h) {
    const davit_header* header = &request->headers[h];
    if (header->name.size != 14 || memcmp(header->name.data, "X-Plain-Secret", 14) != 0) continue;
    for (uint32_t s = 0; s < secrets->count; ++s) {
      if (secrets->values[s].size == header->value.size &&
          memcmp(secrets->values[s].data, header->value.data, header->value.size) == 0) {
        return DAVIT_OK;
      }
    }
  }
  return DAVIT_UNAUTHORIZED;
}

static davit_status answer_unverified(void* self, const davit_call* call, const davit_request* request,
                                      const davit_sink* answer) {
  instance* me = self;
  (void)call;
  if (strcmp(me->mode, "challenge") != 0) return DAVIT_IGNORED;
  put(answer,
      "{\"response\":{\"status\":\"ignored\",\"http\":{\"status\":200,\"content_type\":\"text/"
      "plain\",\"body\":\"");
  answer->write(answer, request->query);
  return put(answer, "\"}},\"tasks\":[{\"agent\":\"sneaked-in\"}]}");
}

static davit_status parse_payload(void* self, const davit_call* call, const davit_request* request,
                                  const davit_sink* parsed) {
  instance* me = self;
  if (strcmp(me->mode, "ignore") == 0) return put(parsed, "no news is good news"), DAVIT_IGNORED;
  if (strcmp(me->mode, "invalid") == 0) {
    call->set_error(call, text("the body has no action"));
    return DAVIT_INVALID_INPUT;
  }
  if (request->body.size == 0) return put(parsed, "null");
  return parsed->write(parsed, request->body);
}

static davit_status should_process(void* self, const davit_call* call, davit_text parsed,
                                   const davit_sink* reason) {
  instance* me = self;
  (void)call, (void)parsed;
  if (strcmp(me->mode, "decline") == 0) return put(reason, "the label is missing"), DAVIT_IGNORED;
  return DAVIT_OK;
}

static int says(davit_text all, const char* word) {
  const size_t length = strlen(word);
  for (uint64_t i = 0; i + length <= all.size; ++i) {
    if (memcmp(all.data + i, word, length) == 0) return 1;
  }
  return 0;
}

/* The text of {"file": "…"}, to be freed. */
static char* file_in(davit_text parsed) {
  char* name = calloc(1, 256);
  const char* key = "\"file\":\"";
  for (uint64_t at = 0; at + strlen(key) <= parsed.size; ++at) {
    if (memcmp(parsed.data + at, key, strlen(key)) != 0) continue;
    const char *from = parsed.data + at + strlen(key),
               *to = memchr(from, '"', parsed.data + parsed.size - from);
    if (to && to - from < 256) memcpy(name, from, to - from);
  }
  return name;
}

/* Waits until there is a file of this name, and frees the name. */
static void wait_for_file(char* name) {
  struct timespec time = {0, 5000000};
  while (access(name, F_OK) != 0) nanosleep(&time, NULL);
  free(name);
}

/* In a thread of its own, whose call has long come back. */
static void* crash_later(void* name) {
  wait_for_file(name);
  *(volatile int*)8 = 1;
  return NULL;
}

static davit_status handle(void* self, const davit_call* call, davit_text parsed, const davit_sink* answer) {
  instance* me = self;
  if (strcmp(me->mode, "crash") == 0) *(volatile int*)8 = 1;
  if (strcmp(me->mode, "exit") == 0) exit(0);
  if (strcmp(me->mode, "hang") == 0) {
    me->host->log(me->host, DAVIT_LOG_INFO, text("handle hangs from now on"), text("{}"));
    for (volatile int forever = 1; forever;) {
    }
  }
  if (strcmp(me->mode, "obey") == 0) {
    if (says(parsed, "crash-now")) *(volatile int*)8 = 1;
    if (says(parsed, "exit-now")) exit(0);
    if (says(parsed, "wait-now")) {
      me->host->log(me->host, DAVIT_LOG_INFO, text("handle waits from now on"), text("{}"));
      wait_for_file(file_in(parsed));
    }
    if (says(parsed, "close-now")) {
      close_range(3, 1023, 0);
    }
    if (says(parsed, "thread-crash")) {
      pthread_t thread;
      pthread_create(&thread, NULL, crash_later, file_in(parsed));
    }
    if (says(parsed, "hang-now")) {
      for (volatile int forever = 1; forever;) {
      }
    }
  }
  if (strcmp(me->mode, "slow") == 0) {
    struct timespec time = {0, 300000000};
    nanosleep(&time, NULL);
  }
  if (strcmp(me->mode, "limited") == 0) {
    call->set_error(call, text("the quota is used up"));
    call->set_retry_after(call, 1500);
    return DAVIT_RATE_LIMITED;
  }
  if (strcmp(me->mode, "no_sentence") == 0) return DAVIT_PERMANENT;
  if (strcmp(me->mode, "cannot") == 0)
    return put(answer, "{\"response\":{\"status\":\"error\",\"message\":\"there is no such order\"}}");
  if (strcmp(me->mode, "verbatim") == 0) return answer->write(answer, parsed);
  if (strcmp(me->mode, "garbage") == 0) return put(answer, "{\"tasks\":"), DAVIT_OK;
  if (strcmp(me->mode, "huge") == 0) {
    static char block[65536];
    memset(block, ' ', sizeof block);
    davit_text blanks = {block, sizeof block};
    while (answer->write(answer, blanks) == DAVIT_OK) {
    }
    return DAVIT_OK;
  }
  put(answer, "{\"response\":{\"status\":\"queued\",\"message\":\"" ANSWER
              "\"},\"tasks\":[{\"agent\":\"command-agent\","
              "\"task_type\":\"echo\",\"title\":\"Echo\",\"payload\":");
  answer->write(answer, parsed);
  put(answer, "}],");
  /* Work about one entity is done one after another, and the newest counts: only for who wants that. */
  if (says(parsed, "\"about\":\"echo#1\"")) put(answer, "\"entity\":{\"key\":\"echo#1\"},");
  return put(answer, "\"actor\":{\"id\":\"7\",\"login\":\"ada\",\"role\":\"owner\"}}");
}

static void destroy(void* self) { free(self); }

static davit_status metadata(uint32_t index, const davit_call* call, const davit_sink* out) {
  (void)call;
  switch (index) {
    case 0:
      return put(
          out,
          "{\"name\":\"good\",\"version\":\"1.2.3\",\"description\":\"Says back what it hears.\","
          "\"delivery_id\":{\"header\":\"X-Delivery\"},\"event_header\":\"X-Event\",\"answers_unverified\":"
          "true,"
          "\"signature\":{\"headers\":[\"X-Signature\"],\"accept\":[{\"prefix\":\"sha256=\",\"algorithm\":"
          "\"hmac-sha256\",\"encoding\":\"hex\"}]},"
          "\"config_schema\":{\"type\":\"object\",\"properties\":{\"mode\":{\"type\":\"string\"},"
          "\"count\":{\"type\":\"integer\",\"minimum\":1}},\"additionalProperties\":false}}");
    case 1:
      return put(
          out, "{\"name\":\"good-own-check\",\"delivery_id\":{\"pointer\":\"/event/id\"},\"enabled\":false}");
    default:
      return DAVIT_NOT_FOUND;
  }
}

static davit_status create(uint32_t index, const davit_host* host, const davit_call* call,
                           davit_webhook* webhook) {
  (void)index;
  BEFORE_CREATE(call);
  instance* me = calloc(1, sizeof *me);
  if (!me) return DAVIT_RETRYABLE;
  me->host = host;
  read_mode(host->config, me->mode);
  host->log(host, DAVIT_LOG_DEBUG, text("created"), text("{\"kind\":\"test\"}"));
  davit_webhook made = {sizeof made,    0,      me,     validate_signature, answer_unverified, parse_payload,
                        should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}

const davit_webhook_factory* davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 2, metadata, create};
  return &factory;
}
