/* Runs first in a sandbox, then becomes the program: opens the way to the proxy, sets limits, closes what the
 * program is not to have.
 *
 *   start SOCKET PORT DATA FILE PROCESSES OPEN-FILES [PROGRAM ARGUMENT...]
 *
 * The network namespace is empty, and a socket belongs to the one it was made in. So this one listens on
 * 127.0.0.1:PORT in here and sends the listening socket out through SOCKET (-1: there is no way out); who
 * accepts on it stands outside. Without a PROGRAM it ends: the sandbox can be made. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fail(const char* what) {
  fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
  exit(126);
}

static void open_way_out(int out, int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) != 0 ||
      listen(listener, 64) != 0)
    fail("cannot listen for the proxy");

  char byte = 0;
  struct iovec piece = {&byte, 1};
  union {
    struct cmsghdr head;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {0};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.space;
  message.msg_controllen = sizeof control.space;
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &listener, sizeof(int));
  if (sendmsg(out, &message, MSG_NOSIGNAL) != 1) fail("cannot hand the proxy its socket");
}

/* Less, where less is all that is allowed. */
static void limit(int resource, const char* text) {
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) fail("cannot read a limit");
  rlim_t wanted = strtoull(text, NULL, 10);
  if (now.rlim_max != RLIM_INFINITY && wanted > now.rlim_max) wanted = now.rlim_max;
  const struct rlimit limit = {wanted, wanted};
  if (setrlimit(resource, &limit) != 0) fail("cannot set a limit");
}

/* Programs reserve far more addresses than they use memory: what they use has a limit of its own. */
static void lift_address_space(void) {
  struct rlimit now;
  if (getrlimit(RLIMIT_AS, &now) != 0) return;
  now.rlim_cur = now.rlim_max;
  setrlimit(RLIMIT_AS, &now);
}

static void close_others(void) {
  if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (long number = 3; number < most; ++number) close((int)number);
}

int main(int count, char** arguments) {
  if (count < 7) {
    fprintf(stderr, "start: too few arguments\n");
    return 126;
  }
  const int out = atoi(arguments[1]);
  if (out >= 0) open_way_out(out, atoi(arguments[2]));
  close_others();
  lift_address_space();
  limit(RLIMIT_CORE, "0");
  limit(RLIMIT_DATA, arguments[3]);
  limit(RLIMIT_FSIZE, arguments[4]);
  limit(RLIMIT_NPROC, arguments[5]);
  limit(RLIMIT_NOFILE, arguments[6]);
  signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error of the write, not the end */
  if (count == 7) return 0;
  execvp(arguments[7], arguments + 7);
  fprintf(stderr, "cannot run %s in the sandbox: %s\n", arguments[7], strerror(errno));
  return 127;
}
