/* Offers the webhook "curious", unless its constructor could read or change what is davit's own, or reach
 * others: then its metadata fails and says what. It lies in the store, beside which the database and the
 * token are. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define _GNU_SOURCE
#define OWN_METADATA
#include "../broken_plugins/broken.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char reached[2048], folder[512];
static volatile sig_atomic_t done;

static void tell(const char* what) {
  if (strlen(reached) + strlen(what) + 2 < sizeof reached) strcat(strcat(reached, " "), what);
}

static void reach(const char* path, int flags, const char* what) {
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return;
  close(fd);
  tell(what);
}

static void reach_files(void) {
  char path[600];
  snprintf(path, sizeof path, "%s/davit.db", folder);
  reach(path, O_RDONLY, "database");
  snprintf(path, sizeof path, "%s/admin.token", folder);
  reach(path, O_RDONLY, "token");
  struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  if (chmod(path, 0600) == 0) tell("mode");
  if (syscall(452, AT_FDCWD, path, 0600, 0) == 0) tell("mode-by-fchmodat2");
  if (chown(path, getuid(), getgid()) == 0) tell("owner");
  if (utimensat(AT_FDCWD, path, times, 0) == 0) tell("times");
  if (setxattr(path, "user.davit", "x", 1, 0) == 0) tell("attribute");
  snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
  reach(path, O_RDONLY, "memory");
  reach("/proc/sysrq-trigger", O_WRONLY, "sysrq");
  snprintf(path, sizeof path, "/tmp/davit-reads-davit-%d", (int)getpid());
  reach(path, O_WRONLY | O_CREAT, "write");
  unlink(path);
}

/* Others, and memory that outlives this process or is counted for nobody. */
static void reach_out(void) {
  int pair[2];
  if (kill(0, 0) == 0) tell("signal");
  if (prlimit(getppid(), RLIMIT_CPU, NULL, &(struct rlimit){0}) == 0) tell("limits");
  if (memfd_create("davit", MFD_CLOEXEC) >= 0) tell("memfd");
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) tell("socketpair");
  const int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  if (segment >= 0) {
    shmctl(segment, IPC_RMID, NULL);
    tell("segment");
  }
  const pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) {
    waitpid(child, NULL, 0);
    tell("child");
  }
}

static void reach_in_this_thread(int number) {
  (void)number;
  reach_files();
  ++done;
}

/* A fence may hold for one thread alone. libc lets nobody block signal 33, nor handle it, but the kernel
 * does: it is given what libc made of the handler of another one. */
static void reach_in_other_threads(void) {
  unsigned char as_kernel_has_it[64] = {0};
  struct sigaction action = {.sa_handler = reach_in_this_thread, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  syscall(SYS_rt_sigaction, SIGUSR1, NULL, as_kernel_has_it, 8);
  syscall(SYS_rt_sigaction, 33, as_kernel_has_it, NULL, 8);
  DIR* threads = opendir("/proc/self/task");
  if (!threads) {
    tell("no-thread");
    return;
  }
  for (struct dirent* entry; (entry = readdir(threads));) {
    const int thread = atoi(entry->d_name), before = done;
    if (thread <= 0 || thread == (int)getpid()) continue;
    if (syscall(SYS_tgkill, getpid(), thread, 33) != 0) continue;
    while (done == before) sched_yield();
  }
  closedir(threads);
  if (done == 0) tell("no-thread");
}

static void* do_nothing(void* given) { return given; }

/* What constructors may do. */
static void be_ordinary(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, do_nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
    tell("but-has-no-threads");
  if (kill(getpid(), 0) != 0) tell("but-cannot-signal-itself");
  if (getrlimit(RLIMIT_AS, &(struct rlimit){0}) != 0) tell("but-does-not-know-its-limits");
}

__attribute__((constructor)) static void look_around(void) {
  Dl_info own;
  if (!dladdr((void*)look_around, &own) || strlen(own.dli_fname) >= sizeof folder) return;
  strcpy(folder, own.dli_fname);
  for (int up = 0; up < 2; ++up) {
    char* slash = strrchr(folder, '/');
    if (slash) *slash = 0;
  }
  reach_files();
  reach_out();
  /* ThreadSanitizer puts handlers of its own before those of others, so that none of these is called. */
  if (!dlsym(RTLD_DEFAULT, "__tsan_init")) reach_in_other_threads();
  be_ordinary();
}

static davit_status metadata(uint32_t index, const davit_call* call, const davit_sink* out) {
  if (!reached[0]) return put(out, "{\"name\":\"curious\"}");
  char sentence[sizeof reached + 20];
  snprintf(sentence, sizeof sentence, "it reached:%s", reached);
  davit_text text = {sentence, strlen(sentence)};
  call->set_error(call, text);
  return DAVIT_PERMANENT;
}
