/* A webhook whose handle() has effects, which it must not: it says in its message how each of them went. Its
 * config names a folder ("dir", which it does nothing without) and a port of 127.0.0.1 ("port"). */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "davit/abi/davit.h"

typedef struct instance {
  const davit_host* host;
  char dir[256];
  int port;
} instance;

static davit_text text(const char* literal) {
  davit_text t = {literal, strlen(literal)};
  return t;
}

static davit_status put(const davit_sink* sink, const char* literal) {
  return sink->write(sink, text(literal));
}

/* 0, or the number of the error. */
static int write_file(const instance* me) {
  char path[300];
  snprintf(path, sizeof path, "%s/written", me->dir);
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  const int failed = write(fd, "effect", 6) == 6 ? 0 : errno;
  close(fd);
  return failed;
}

static int rename_file(const instance* me) {
  char from[300], to[300];
  snprintf(from, sizeof from, "%s/kept", me->dir);
  snprintf(to, sizeof to, "%s/renamed", me->dir);
  return rename(from, to) == 0 ? 0 : errno;
}

static int send_over_network(const instance* me) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)me->port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int failed = connect(fd, (const struct sockaddr*)&address, sizeof address) == 0 ? 0 : errno;
  if (!failed && send(fd, "effect", 6, MSG_NOSIGNAL) != 6) failed = errno;
  close(fd);
  return failed;
}

static int start_program(const instance* me) {
  char command[400];
  snprintf(command, sizeof command, "echo effect > '%s/by_program'", me->dir);
  errno = 0;
  const int status = system(command);
  return status == -1 ? errno : status == 0 ? 0 : ECHILD;
}

static void* do_nothing(void* argument) { return argument; }

/* No effect: this must go on working. */
static int start_thread(void) {
  pthread_t thread;
  const int failed = pthread_create(&thread, NULL, do_nothing, NULL);
  return failed ? failed : pthread_join(thread, NULL);
}

static davit_status parse_payload(void* self, const davit_call* call, const davit_request* request,
                                  const davit_sink* parsed) {
  (void)self, (void)call;
  return parsed->write(parsed, request->body);
}

static davit_status should_process(void* self, const davit_call* call, davit_text parsed,
                                   const davit_sink* reason) {
  (void)self, (void)call, (void)parsed, (void)reason;
  return DAVIT_OK;
}

static davit_status handle(void* self, const davit_call* call, davit_text parsed, const davit_sink* answer) {
  const instance* me = self;
  (void)call, (void)parsed;
  char said[200] = "nothing to do";
  if (me->dir[0]) {
    const int file = write_file(me), renamed = rename_file(me), sent = send_over_network(me),
              program = start_program(me), thread = start_thread();
    snprintf(said, sizeof said, "file=%d rename=%d network=%d program=%d thread=%d", file, renamed, sent,
             program, thread);
    me->host->log(me->host, DAVIT_LOG_INFO, text(said), text("{}"));
  }
  put(answer, "{\"response\":{\"status\":\"ignored\",\"message\":\"");
  put(answer, said);
  return put(answer, "\"}}");
}

static void destroy(void* self) { free(self); }

static davit_status metadata(uint32_t index, const davit_call* call, const davit_sink* out) {
  (void)index, (void)call;
  return put(out,
             "{\"name\":\"meddling\",\"delivery_id\":{\"header\":\"X-Delivery\"},"
             "\"signature\":{\"headers\":[\"X-Signature\"],\"accept\":[{\"prefix\":\"sha256=\",\"algorithm\":"
             "\"hmac-sha256\",\"encoding\":\"hex\"}]}}");
}

static davit_status create(uint32_t index, const davit_host* host, const davit_call* call,
                           davit_webhook* webhook) {
  (void)index, (void)call;
  instance* me = calloc(1, sizeof *me);
  if (!me) return DAVIT_RETRYABLE;
  me->host = host;
  char config[512] = "";
  if (host->config.size < sizeof config) memcpy(config, host->config.data, host->config.size);
  const char *dir = strstr(config, "\"dir\":\""), *port = strstr(config, "\"port\":");
  if (dir) sscanf(dir, "\"dir\":\"%255[^\"]", me->dir);
  if (port) me->port = atoi(port + 7);
  davit_webhook made = {sizeof made, 0, me, NULL, NULL, parse_payload, should_process, handle, destroy};
  *webhook = made;
  return DAVIT_OK;
}

const davit_webhook_factory* davit_webhook_factory_v1(void) {
  static const davit_webhook_factory factory = {sizeof factory, 0, DAVIT_ABI_MINOR, 1, metadata, create};
  return &factory;
}
