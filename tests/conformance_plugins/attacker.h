/* A webhook whose constructor reaches for the process that runs it and for that one's parent: the file that includes
 * this defines attack(), which gives the number of its calls that were not refused. It ignores every event, and fails
 * at each if the attack worked. */
#ifndef DAVIT_TESTS_ATTACKER_H
#define DAVIT_TESTS_ATTACKER_H

#define _GNU_SOURCE
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#define OWN_PARSE
#define OWN_HANDLE
#include "wrong_webhook.h"

static int attack(pid_t pid);
static int worked;

__attribute__((constructor)) static void reach_for_the_parents(void) {
  const pid_t parent = getppid();
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)parent);
  FILE *file = fopen(path, "r");
  int above = 0;
  if (file) {
    if (fgets(line, sizeof line, file) && strrchr(line, ')')) sscanf(strrchr(line, ')'), ") %*c %d", &above);
    fclose(file);
  }
  worked = attack(parent);
  if (above > 1) worked += attack(above);
}

static davit_status own_parse(void *self, const davit_call *call, const davit_request *request,
                              const davit_sink *parsed) {
  return worked ? fail(call, DAVIT_INVALID_INPUT) : put(parsed, "{}");
}

static davit_status own_handle(void *self, const davit_call *call, davit_text parsed, const davit_sink *answer) {
  return put(answer, "{\"response\":{\"status\":\"ignored\",\"message\":\"nothing reached\"}}");
}

#endif
