/* Writes a whole frame (host/isolation/frames.h) in davit's place, from a constructor. */
#include <string.h>
#include <unistd.h>

static void forge(unsigned char kind, const char *json) {
  char frame[1024] = {0};
  const size_t size = strlen(json);
  frame[0] = (char)(size & 0xff);
  frame[1] = (char)(size >> 8);
  frame[8] = (char)kind;
  memcpy(frame + 12, json, size);
  (void)!write(3, frame, 12 + size);
}
