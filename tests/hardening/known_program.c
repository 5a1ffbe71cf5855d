/* Copies its argument, so that there is something to protect: built once with all protections and once
 * without any. */
#include <stdio.h>
#include <string.h>

int main(int count, char** arguments) {
  char copy[64];
  strcpy(copy, arguments[count - 1]);
  return puts(copy) < 0;
}
