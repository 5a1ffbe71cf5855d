/* good_webhook.c with a constructor that does IN_THE_HOST() where the process is a host (`davit serve`). */
#include "good_webhook.c"

__attribute__((constructor)) static void look_where_we_are(void) {
  char line[4096];
  FILE *file = fopen("/proc/self/cmdline", "r");
  if (!file) return;
  const size_t length = fread(line, 1, sizeof line, file);
  fclose(file);
  for (size_t at = 0; at + 6 <= length; at += strnlen(line + at, length - at) + 1) {
    if (memcmp(line + at, "serve", 6) == 0) IN_THE_HOST();
  }
}
