/* An agent that does what the payload of its task says: {"mode": …}. For the tests of dispatch.
 *
 *   noop         success, nothing else
 *   context      success; the output is the whole context it was given
 *   limits       success; the output is its limit of address space, {soft, hard}, -1 for none
 *   fail, permanent, rate_limited   a failure of that class
 *   refuse_result  a result that is not JSON
 *   bad_task     success, with a follow-up task that cannot be stored
 *   crash, exit  dies by SIGSEGV, by exit(0)
 *   hang         never returns and does not listen; has a child in a session of its own that ignores TERM
 *   wait         says progress, then waits until it is cancelled
 *   finish_late  as wait, but answers success when it is cancelled
 *   slow         20 ms; a line into the file "file" when it begins ("+") and when it ends ("-")
 *   spend        reports a cost of 0.5 US dollars and then waits until it is cancelled
 *   talk         reports usage, progress and a line with its secret, then succeeds
 *   talk_crash   the same, then dies
 *   talk_much    20,000 lines, then succeeds
 *   gossip       tells its secret in the log, on standard error, and in a line of its transcript, its kind too; tells two of
 *                its variables; says progress, then waits until it is cancelled
 *   leave        an artifact, another one in its place with its secret, and one with the secret in its name
 *   leave_much   artifacts of 80, 101 and 80 bytes; the output is what came of each
 *   chain        names the agent "next", which gets {"mode":"context"}; with "ask":true it waits for approval
 *   again        success, with a task of the same kind for itself
 *   tell         success, with a task for "second" that has its secret in title and payload
 *   ask_nothing  success; wants approval, but names nobody who would wait for it
 *   no           pre_execute says no
 *   gated        pre_execute says to come back in an hour while the file "file" is not there; then as noop */
#include <davit/abi/davit.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Variants of it are files that define these and include it. */
#ifndef BEFORE_EXECUTE
#define BEFORE_EXECUTE() (void)0
#endif
#ifndef BEFORE_CREATE
#define BEFORE_CREATE(call) (void)(call)
#endif

typedef struct worker {
  const davit_host *host;
} worker;

static davit_text text(const char *words) {
  davit_text result = {words, strlen(words)};
  return result;
}

static davit_status write_text(const davit_sink *sink, const char *words) { return sink->write(sink, text(words)); }

/* The context as a string; to be freed. */
static char *copy_of(davit_text context) {
  char *copy = malloc(context.size + 1);
  memcpy(copy, context.data, context.size);
  copy[context.size] = 0;
  return copy;
}

/* The text member `name` of the payload, or "". */
static void member(const char *context, const char *name, char *value, size_t size) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  value[0] = 0;
  const char *payload = strstr(context, "\"payload\":");
  const char *found = payload ? strstr(payload, key) : NULL;
  if (!found) return;
  found += strlen(key);
  size_t length = strcspn(found, "\"");
  if (length >= size) length = size - 1;
  memcpy(value, found, length);
  value[length] = 0;
}

static void nap(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void mark(const char *file, const char *line) {
  int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write(fd, line, strlen(line)) < 0) abort();
  close(fd);
}

static void mark_pid(const char *file) {
  char line[32];
  snprintf(line, sizeof line, "%d\n", (int)getpid());
  mark(file, line);
}

static void say_progress(const davit_host *host, const davit_call *call) {
  const davit_progress_v1 *progress = host->service(host, text(DAVIT_SERVICE_PROGRESS));
  if (progress) progress->report(call, 0.5, text("working"), text("half of it"));
}

static davit_status copy_secret(const davit_sink *sink, davit_text value) {
  char *secret = sink->context;
  strncat(secret, value.data, value.size);
  return DAVIT_OK;
}

static void talk(const davit_host *host, const davit_call *call) {
  char secret[128] = "", line[256];
  davit_sink sink = {sizeof sink, 0, secret, copy_secret};
  host->secret(host, text("TOKEN"), &sink);
  const davit_usage_v1 *usage = host->service(host, text(DAVIT_SERVICE_USAGE));
  const davit_transcript_v1 *transcript = host->service(host, text(DAVIT_SERVICE_TRANSCRIPT));
  if (!usage || !transcript) return;
  usage->report(call, text("{\"input_tokens\":100,\"output_tokens\":10,\"cost_usd\":0.5,\"model\":\"m\"}"));
  usage->report(call, text("{\"input_tokens\":90,\"output_tokens\":20,\"cost_usd\":0.25,\"model\":\"m\"}"));
  snprintf(line, sizeof line, "my token is %s", secret);
  transcript->append(call, text("assistant"), text(line));
  say_progress(host, call);
}

static void gossip(const davit_host *host, const davit_call *call) {
  char secret[128] = "", line[256];
  davit_sink sink = {sizeof sink, 0, secret, copy_secret};
  host->secret(host, text("TOKEN"), &sink);
  const davit_transcript_v1 *transcript = host->service(host, text(DAVIT_SERVICE_TRANSCRIPT));
  snprintf(line, sizeof line, "my token is %s", secret);
  host->log(host, DAVIT_LOG_WARN, text(line), text(""));
  fprintf(stderr, "printed: %s\n", line);
  transcript->append(call, text(secret), text(line));
  const char *password = getenv("MY_PASSWORD"), *folder = getenv("FOLDER");
  snprintf(line, sizeof line, "%s in %s", password ? password : "nothing", folder ? folder : "nowhere");
  transcript->append(call, text("text"), text(line));
  say_progress(host, call);
}

static davit_status leave(const davit_host *host, const davit_call *call, const davit_sink *result) {
  char secret[128] = "", words[256];
  davit_sink sink = {sizeof sink, 0, secret, copy_secret};
  host->secret(host, text("TOKEN"), &sink);
  const davit_artifact_v1 *artifacts = host->service(host, text(DAVIT_SERVICE_ARTIFACT));
  artifacts->put(call, text("plan.txt"), text("text/html"), text("no plan yet"));
  snprintf(words, sizeof words, "the plan, with %s", secret);
  artifacts->put(call, text("plan.txt"), text("text/plain"), text(words));
  snprintf(words, sizeof words, "x%s.bin", secret);
  artifacts->put(call, text(words), text("application/x-thing"), text("\377\001 no text"));
  return write_text(result, "{\"success\":true}");
}

static davit_status leave_much(const davit_host *host, const davit_call *call, const davit_sink *result) {
  const davit_artifact_v1 *artifacts = host->service(host, text(DAVIT_SERVICE_ARTIFACT));
  char bytes[101], json[128];
  memset(bytes, 'x', sizeof bytes);
  const davit_text large = {bytes, sizeof bytes}, small = {bytes, 80};
  const int first = artifacts->put(call, text("small"), text("text/plain"), small);
  const int second = artifacts->put(call, text("big"), text("text/plain"), large);
  const int third = artifacts->put(call, text("many"), text("text/plain"), small);
  snprintf(json, sizeof json, "{\"success\":true,\"output\":{\"small\":%d,\"big\":%d,\"many\":%d}}", first, second, third);
  return write_text(result, json);
}

static davit_status tell(const davit_host *host, const davit_sink *result) {
  char secret[128] = "", json[512];
  davit_sink sink = {sizeof sink, 0, secret, copy_secret};
  host->secret(host, text("TOKEN"), &sink);
  snprintf(json, sizeof json,
           "{\"success\":true,\"tasks\":[{\"agent\":\"second\",\"title\":\"with %s\",\"payload\":{\"mode\":\"noop\",\"key\":\"%s\"}}]}",
           secret, secret);
  return write_text(result, json);
}

/* Also where a sanitizer would catch the signal. */
static void crash(void) {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
}

static void hang(const char *file) {
  if (fork() == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    mark_pid(file);
    for (;;) pause();
  }
  signal(SIGTERM, SIG_IGN);
  mark_pid(file);
  for (;;) pause();
}

static davit_status chain(const char *context, const davit_sink *result) {
  char next[64], json[512];
  member(context, "next", next, sizeof next);
  snprintf(json, sizeof json,
           "{\"success\":true,\"output\":{\"found\":42},\"next_agent\":\"%s\",\"next_input\":{\"mode\":\"context\"}%s}", next,
           strstr(context, "\"ask\":true") ? ",\"wait_for_approval\":true" : "");
  return write_text(result, json);
}

static davit_status limits(const davit_sink *result) {
  struct rlimit limit;
  char json[160];
  getrlimit(RLIMIT_AS, &limit);
  snprintf(json, sizeof json, "{\"success\":true,\"output\":{\"soft\":%lld,\"hard\":%lld}}", (long long)limit.rlim_cur,
           (long long)limit.rlim_max);
  return write_text(result, json);
}

static davit_status perform(const davit_host *host, const davit_call *call, const char *context, const davit_sink *result) {
  char mode[32], file[512];
  member(context, "mode", mode, sizeof mode);
  member(context, "file", file, sizeof file);
  if (!strcmp(mode, "noop") || !strcmp(mode, "gated")) return write_text(result, "{\"success\":true}");
  if (!strcmp(mode, "context")) {
    write_text(result, "{\"success\":true,\"output\":");
    write_text(result, context);
    return write_text(result, "}");
  }
  if (!strcmp(mode, "limits")) return limits(result);
  if (!strcmp(mode, "carol_only")) {
    if (strstr(context, "\"by\":\"carol\"")) return write_text(result, "{\"success\":true}");
    return write_text(result,
                      "{\"success\":false,\"error\":\"only carol may\",\"error_class\":\"permanent\",\"approval_refused\":true}");
  }
  if (!strcmp(mode, "fail")) return write_text(result, "{\"success\":false,\"error\":\"no luck\"}");
  if (!strcmp(mode, "permanent"))
    return write_text(result, "{\"success\":false,\"error\":\"never\",\"error_class\":\"permanent\"}");
  if (!strcmp(mode, "rate_limited"))
    return write_text(result,
                      "{\"success\":false,\"error\":\"slow down\",\"error_class\":\"rate_limited\",\"retry_after_ms\":3600000}");
  if (!strcmp(mode, "refuse_result")) return write_text(result, "oops");
  if (!strcmp(mode, "bad_task")) return write_text(result, "{\"success\":true,\"tasks\":[{\"agent\":\"second\",\"priority\":9999}]}");
  if (!strcmp(mode, "crash")) crash();
  if (!strcmp(mode, "exit")) exit(0);
  if (!strcmp(mode, "hang")) hang(file);
  if (!strcmp(mode, "wait") || !strcmp(mode, "finish_late")) {
    if (file[0]) mark_pid(file);
    say_progress(host, call);
    while (!call->is_cancelled(call)) nap(2);
    if (!strcmp(mode, "wait")) return DAVIT_CANCELLED;
    return write_text(result, "{\"success\":true,\"output\":\"done all the same\",\"next_agent\":\"second\"}");
  }
  if (!strcmp(mode, "slow")) {
    mark(file, "+");
    nap(20);
    mark(file, "-");
    return write_text(result, "{\"success\":true}");
  }
  if (!strcmp(mode, "talk")) {
    talk(host, call);
    return write_text(result, "{\"success\":true}");
  }
  if (!strcmp(mode, "spend")) {
    talk(host, call);
    while (!call->is_cancelled(call)) nap(2);
    return DAVIT_CANCELLED;
  }
  if (!strcmp(mode, "talk_crash")) {
    talk(host, call);
    crash();
  }
  if (!strcmp(mode, "talk_much")) {
    const davit_transcript_v1 *transcript = host->service(host, text(DAVIT_SERVICE_TRANSCRIPT));
    for (int i = 0; i < 20000; ++i) transcript->append(call, text("stdout"), text("one of very many lines of output"));
    return write_text(result, "{\"success\":true}");
  }
  if (!strcmp(mode, "gossip")) {
    gossip(host, call);
    while (!call->is_cancelled(call)) nap(2);
    return DAVIT_CANCELLED;
  }
  if (!strcmp(mode, "leave")) return leave(host, call, result);
  if (!strcmp(mode, "leave_much")) return leave_much(host, call, result);
  if (!strcmp(mode, "chain")) return chain(context, result);
  if (!strcmp(mode, "again"))
    return write_text(result, "{\"success\":true,\"tasks\":[{\"agent\":\"worker\",\"payload\":{\"mode\":\"again\"}}]}");
  if (!strcmp(mode, "tell")) return tell(host, result);
  if (!strcmp(mode, "ask_nothing")) return write_text(result, "{\"success\":true,\"wait_for_approval\":true}");
  call->set_error(call, text("unknown mode"));
  return DAVIT_INVALID_INPUT;
}

static davit_status pre_execute(void *self, const davit_call *call, davit_text context, const davit_sink *reason) {
  (void)self;
  char *copy = copy_of(context), mode[32], file[512];
  member(copy, "mode", mode, sizeof mode);
  member(copy, "file", file, sizeof file);
  free(copy);
  if (!strcmp(mode, "gated") && access(file, F_OK) != 0) {
    call->set_error(call, text("the gate is shut"));
    call->set_retry_after(call, 3600000);
    return DAVIT_RATE_LIMITED;
  }
  if (strcmp(mode, "no")) return DAVIT_OK;
  write_text(reason, "not today");
  return DAVIT_IGNORED;
}

static davit_status execute(void *self, const davit_call *call, davit_text context, const davit_sink *result) {
  BEFORE_EXECUTE();
  char *copy = copy_of(context);
  davit_status status = perform(((worker *)self)->host, call, copy, result);
  free(copy);
  return status;
}

static void destroy(void *self) { free(self); }

static const char *const kNames[] = {"worker", "second", "third"};

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  (void)call;
  if (index >= 3) return DAVIT_NOT_FOUND;
  char json[128];
  snprintf(json, sizeof json, "{\"name\":\"%s\",\"version\":\"1.0.0\"}", kNames[index]);
  return write_text(out, json);
}

static davit_status create(uint32_t index, const davit_host *host, const davit_call *call, davit_agent *agent) {
  (void)index;
  BEFORE_CREATE(call);
  worker *self = malloc(sizeof *self);
  self->host = host;
  agent->struct_size = sizeof *agent;
  agent->self = self;
  agent->pre_execute = pre_execute;
  agent->execute = execute;
  agent->destroy = destroy;
  return DAVIT_OK;
}

DAVIT_EXPORT const davit_agent_factory *davit_agent_factory_v1(void) {
  static const davit_agent_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 3, metadata, create};
  return &factory;
}
