/* Starts a thread and forgets it. */
#include <pthread.h>
#include <unistd.h>
#define OWN_PARSE
#include "wrong_webhook.h"
static void *wait_for_ever(void *unused) {
  for (;;) pause();
  return unused;
}
static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0) return fail(call, DAVIT_RETRYABLE);
  return put(parsed, "{}");
}
