/* Offers the webhook "curious", unless its constructor could read or change what is davit's own: then its metadata
 * fails and says what. It lies in the store, beside which the database and the token are. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define _GNU_SOURCE
#define OWN_METADATA
#include "../broken_plugins/broken.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char reached[512];

static void reach(const char *path, int flags, const char *what) {
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return;
  close(fd);
  strcat(strcat(reached, " "), what);
}

__attribute__((constructor)) static void look_around(void) {
  Dl_info own;
  char path[600], folder[512] = "";
  if (!dladdr((void *)look_around, &own) || strlen(own.dli_fname) >= sizeof folder) return;
  strcpy(folder, own.dli_fname);
  for (int up = 0; up < 2; ++up) {
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
  }
  snprintf(path, sizeof path, "%s/davit.db", folder);
  reach(path, O_RDONLY, "database");
  snprintf(path, sizeof path, "%s/admin.token", folder);
  reach(path, O_RDONLY, "token");
  snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
  reach(path, O_RDONLY, "memory");
  reach("/proc/sysrq-trigger", O_WRONLY, "sysrq");
  snprintf(path, sizeof path, "/tmp/davit-reads-davit-%d", (int)getpid());
  reach(path, O_WRONLY | O_CREAT, "write");
  unlink(path);
}

static davit_status metadata(uint32_t index, const davit_call *call, const davit_sink *out) {
  if (!reached[0]) return put(out, "{\"name\":\"curious\"}");
  char sentence[600];
  snprintf(sentence, sizeof sentence, "it reached:%s", reached);
  davit_text text = {sentence, strlen(sentence)};
  call->set_error(call, text);
  return DAVIT_PERMANENT;
}
