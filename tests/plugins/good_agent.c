/* An agent for tests, in plain C. Its config says how it behaves:
 *   {"mode": "echo"}   (default) succeeds with the context as output; reports progress, usage, a transcript line
 *           "fail"     a result with success false, class permanent
 *           "status"   execute ends as rate limited, to be retried after 1500 ms
 *           "rescued"  execute ends as internal, on_error makes a result that post_execute would change
 *           "rescued_before", "rescued_after"  likewise with pre_execute, post_execute
 *           "bad_end"  post_execute ends as internal
 *           "refuse"   pre_execute says no
 *           "rescued_wait"  pre_execute says to come back in 1500 ms, and on_error would make a result of it
 *           "garbage"  the result is no JSON
 *           "shrink"   reports usage of 100 tokens, then of 10, then a result with 50
 *           "negative" reports negative cost
 *           "sly"      claims that it was cancelled, in its result
 *           "post"     post_execute changes the output
 *           "secret"   output is the granted secret TOKEN, or null
 *           "services" output lists the services on offer
 *           "artifact" stores one artifact and a value, reads the value back
 *           "waits"    until it is cancelled, then says so
 *           "crash" "exit" "exit3" "abort"  ends its process that way
 *           "hang"     loops for ever
 *           "ignore_term"  ignores SIGTERM and cancel, and sleeps for ever
 *           "slow"     sleeps 300 ms
 *           "fork_daemon"  leaves a re-sessioned grandchild that sleeps 1000 s, writes its pid to ./daemon.pid
 *           "chatter"  writes to stdout and stderr
 *           "memory"   allocates and touches 4 GiB */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "davit/abi/davit.h"

typedef struct instance {
  const davit_host *host;
  char mode[32];
  int runs;
} instance;

static davit_text text(const char *literal) {
  davit_text t = {literal, strlen(literal)};
  return t;
}

static davit_status put(const davit_sink *sink, const char *literal) { return sink->write(sink, text(literal)); }

static void read_mode(davit_text config, char mode[32]) {
  const char *key = "\"mode\":\"";
  strcpy(mode, "echo");
  for (uint64_t i = 0; i + strlen(key) < config.size; ++i) {
    if (memcmp(config.data + i, key, strlen(key)) != 0) continue;
    uint64_t from = i + strlen(key), n = 0;
    while (from + n < config.size && config.data[from + n] != '"' && n < 31) ++n;
    memcpy(mode, config.data + from, n);
    mode[n] = 0;
  }
}

static void rest(long milliseconds) {
  struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
  nanosleep(&time, NULL);
}

static int is(const instance *me, const char *mode) { return strcmp(me->mode, mode) == 0; }

static void leave_daemon(void) {
  if (fork() != 0) {
    /* Until the daemon has written its pid. */
    for (int i = 0; i < 500 && access("daemon.pid", F_OK) != 0; ++i) rest(10);
    return;
  }
  setsid();
  if (fork() != 0) _exit(0);
  FILE *file = fopen("daemon.tmp", "w");
  if (file) {
    fprintf(file, "%ld", (long)getpid());
    fclose(file);
    rename("daemon.tmp", "daemon.pid");
  }
  execlp("sleep", "sleep", "1000", (char *)NULL);
  _exit(1);
}

static davit_status pre_execute(void *self, const davit_call *call, davit_text context, const davit_sink *reason) {
  (void)context;
  if (is(self, "refuse")) return put(reason, "the repository is frozen"), DAVIT_IGNORED;
  if (is(self, "rescued_wait")) {
    call->set_error(call, text("the model is asked nothing at present"));
    call->set_retry_after(call, 1500);
    return DAVIT_RATE_LIMITED;
  }
  if (is(self, "rescued_before")) return call->set_error(call, text("no disk to check out on")), DAVIT_RETRYABLE;
  return DAVIT_OK;
}

static davit_status store_and_read(const instance *me, const davit_call *call, const davit_sink *result) {
  const davit_artifact_v1 *artifacts = me->host->service(me->host, text(DAVIT_SERVICE_ARTIFACT));
  const davit_kv_v1 *kv = me->host->service(me->host, text(DAVIT_SERVICE_KV));
  if (!artifacts || !kv) return call->set_error(call, text("a service is missing")), DAVIT_PERMANENT;
  if (artifacts->put(call, text("../escape"), text("text/plain"), text("x")) != DAVIT_INVALID_INPUT) return DAVIT_INTERNAL;
  if (artifacts->put(call, text("plan.txt"), text("text/plain"), text("the plan")) != DAVIT_OK) return DAVIT_INTERNAL;
  if (kv->write(call, text("colour"), text("\"green\"")) != DAVIT_OK) return DAVIT_INTERNAL;
  put(result, "{\"success\":true,\"output\":");
  davit_status status = kv->read(call, text("colour"), result);
  put(result, "}");
  return status;
}

static davit_status execute(void *self, const davit_call *call, davit_text context, const davit_sink *result) {
  instance *me = self;
  ++me->runs;
  if (is(me, "crash")) *(volatile int *)8 = 1;
  if (is(me, "abort")) abort();
  if (is(me, "exit")) exit(0);
  if (is(me, "exit3")) exit(3);
  if (is(me, "hang")) {
    for (volatile int forever = 1; forever;) {
    }
  }
  if (is(me, "ignore_term")) {
    signal(SIGTERM, SIG_IGN);
    for (;;) rest(1000);
  }
  if (is(me, "waits")) {
    while (!call->is_cancelled(call) && call->remaining_ms(call) > 0) rest(5);
    call->set_error(call, text("stopped as asked"));
    return call->is_cancelled(call) ? DAVIT_CANCELLED : DAVIT_DEADLINE;
  }
  if (is(me, "slow")) rest(300);
  if (is(me, "fork_daemon")) leave_daemon();
  if (is(me, "chatter")) {
    printf("on stdout\n");
    fflush(stdout);
    fprintf(stderr, "on stderr\n");
  }
  if (is(me, "memory")) {
    for (int i = 0; i < 4096; ++i) {
      char *block = malloc(1 << 20);
      if (!block) return call->set_error(call, text("out of memory")), DAVIT_RETRYABLE;
      memset(block, i, 1 << 20);
    }
  }
  if (is(me, "status") || is(me, "rescued")) {
    call->set_error(call, text("the model is busy"));
    call->set_retry_after(call, 1500);
    return is(me, "status") ? DAVIT_RATE_LIMITED : DAVIT_INTERNAL;
  }
  if (is(me, "garbage")) return put(result, "[1,");
  if (is(me, "fail")) {
    return put(result, "{\"success\":false,\"error\":\"no such branch\",\"error_class\":\"permanent\"}");
  }
  if (is(me, "sly")) return put(result, "{\"success\":false,\"error_class\":\"cancelled\"}");
  if (is(me, "artifact")) return store_and_read(me, call, result);
  if (is(me, "secret")) {
    put(result, "{\"success\":true,\"output\":");
    if (me->host->secret(me->host, text("TOKEN"), result) != DAVIT_OK) put(result, "null");
    return put(result, "}");
  }
  if (is(me, "services")) {
    const char *ids[] = {DAVIT_SERVICE_PROGRESS, DAVIT_SERVICE_USAGE, DAVIT_SERVICE_TRANSCRIPT, DAVIT_SERVICE_ARTIFACT,
                         DAVIT_SERVICE_KV, "davit.teleport/1"};
    put(result, "{\"success\":true,\"output\":[");
    for (int i = 0; i < 6; ++i) {
      if (i > 0) put(result, ",");
      put(result, me->host->service(me->host, text(ids[i])) ? "true" : "false");
    }
    return put(result, "]}");
  }

  const davit_usage_v1 *usage = me->host->service(me->host, text(DAVIT_SERVICE_USAGE));
  if (is(me, "negative")) {
    if (usage) usage->report(call, text("{\"input_tokens\":-5,\"cost_usd\":-1}"));
    return put(result, "{\"success\":true}");
  }
  if (is(me, "shrink")) {
    if (usage) {
      usage->report(call, text("{\"input_tokens\":100,\"cost_usd\":0.5,\"model\":\"m\"}"));
      usage->report(call, text("{\"input_tokens\":10,\"output_tokens\":3}"));
    }
    return put(result, "{\"success\":true,\"usage\":{\"input_tokens\":50}}");
  }

  const davit_progress_v1 *progress = me->host->service(me->host, text(DAVIT_SERVICE_PROGRESS));
  const davit_transcript_v1 *transcript = me->host->service(me->host, text(DAVIT_SERVICE_TRANSCRIPT));
  if (progress) progress->report(call, 0.5, text("work"), text("half way"));
  if (usage) usage->report(call, text("{\"input_tokens\":7,\"output_tokens\":2,\"cost_usd\":0.01,\"model\":\"test-model\"}"));
  if (transcript) transcript->append(call, text("assistant"), text("hello"));
  put(result, "{\"success\":true,\"output\":");
  result->write(result, context);
  char runs[64];
  snprintf(runs, sizeof runs, ",\"metrics\":{\"runs\":%d}}", me->runs);
  return put(result, runs);
}

static davit_status post_execute(void *self, const davit_call *call, davit_text context, davit_text result,
                                 const davit_sink *changed) {
  (void)context, (void)result;
  if (is(self, "rescued_after") || is(self, "bad_end"))
    return call->set_error(call, text("the plan has no end")), DAVIT_INTERNAL;
  if (!is(self, "post") && !is(self, "rescued")) return DAVIT_NOT_IMPLEMENTED;
  return put(changed, "{\"success\":true,\"output\":\"changed\"}");
}

static davit_status on_error(void *self, const davit_call *call, davit_text context, davit_status status,
                             davit_text message, const davit_sink *result) {
  (void)call, (void)context, (void)status;
  if (strncmp(((instance *)self)->mode, "rescued", 7) != 0) return DAVIT_NOT_IMPLEMENTED;
  put(result, "{\"success\":true,\"output\":\"rescued from: ");
  result->write(result, message);
  return put(result, "\"}");
}

static void cancel(void *self) { (void)self; }
static void destroy(void *self) { free(self); }

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)index, (void)call;
  return put(out, "{\"name\":\"good-agent\",\"display_name\":\"Good Agent\",\"version\":\"1.0.0\",\"capabilities\":[\"planning\"],"
                  "\"max_retries\":2,\"timeout_seconds\":60,"
                  "\"config_schema\":{\"type\":\"object\",\"properties\":{\"mode\":{\"type\":\"string\"}}}}");
}

static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_agent *agent) {
  (void)index, (void)call;
  instance *me = calloc(1, sizeof *me);
  if (!me) return DAVIT_RETRYABLE;
  me->host = host;
  read_mode(host->config, me->mode);
  davit_agent made = {sizeof made, 0, me, pre_execute, execute, post_execute, on_error, cancel, destroy};
  *agent = made;
  return DAVIT_OK;
}

const davit_agent_factory *davit_agent_factory_v1(void) {
  static const davit_agent_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 1, metadata, create};
  return &factory;
}
