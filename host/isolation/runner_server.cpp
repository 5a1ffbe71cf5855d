// What a runner does to itself first, and why:
//   every descriptor but its own closed    whatever the host had open is no business of a plugin
//   child-subreaper                        what its plugin starts and orphans stays below it, where it can be
//   found no core files, not dumpable            memory holds granted secrets; a child of the same user must
//   not read it oom_score_adj raised                   when memory runs out, a plugin goes before the host
//   parent-death signal SIGCONT            a runner that was stopped must wake up to see that the host is
//   gone. (A deadly
//                                          signal would leave its descendants behind, and would also come
//                                          when the thread that started it ends.)
//   SIGPIPE handled by doing nothing       a closed output pipe must not kill it before it has ended its
//   descendants;
//                                          ignored would be inherited by the programs it starts
//
// After each call nothing of it may be left running: whatever is still below this process is killed before
// the answer is sent. The usual case, no child at all, costs one system call.
#include "host/isolation/runner_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "host/base/file.h"
#include "host/isolation/effect_fence.h"
#include "host/isolation/file_fence.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/signal_fence.h"

namespace davit::isolation {
namespace {

constexpr Duration kDescendantsLimit{2000};

void do_nothing(int) {}
void stop_for_good(int) {
  for (;;) pause();
}
int stop_signal() { return SIGRTMAX - 1; }

void handle_signal(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void prepare_process(int calls_fd) {
  for (int fd : {calls_fd, calls_fd + 1}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  syscall(SYS_close_range, static_cast<unsigned>(calls_fd) + 2, ~0u, 0u);
  if (UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score.open()) {
    [[maybe_unused]] auto written = write(score.number(), "500", 3);
  }
  become_subreaper();
  prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  fence_off_parents();
  handle_signal(SIGPIPE, do_nothing, SA_RESTART);
  handle_signal(stop_signal(), stop_for_good, 0);
  setvbuf(stdout, nullptr, _IOLBF, 0);  // lines of the plugin's printf come when they are printed
}

// Holds all other threads of this process, so that they start nothing while everything is being ended.
void stop_other_threads() {
  const auto own = static_cast<pid_t>(syscall(SYS_gettid));
  alignas(dirent64) char names[4096];
  const int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks < 0) return;
  for (;;) {
    const long got = syscall(SYS_getdents64, tasks, names, sizeof names);
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(names + at);
      at += entry->d_reclen;
      const pid_t thread = std::atoi(entry->d_name);
      if (thread > 0 && thread != own) syscall(SYS_tgkill, getpid(), thread, stop_signal());
    }
  }
  close(tasks);
}

// A sanitizer reserves terabytes of addresses: no limit fits it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;
#else
constexpr bool kSanitizer = false;
#endif

bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

// With `liftable`, for programs that it starts: some reserve far more addresses than memory, and who starts
// them in a sandbox gives them a limit of another kind.
void limit_address_space(std::uint64_t bytes, bool liftable) {
  if (bytes == 0) return;
  rlimit limit{bytes, bytes};
  if (rlimit given{}; liftable && getrlimit(RLIMIT_AS, &given) == 0) {
    limit.rlim_max = given.rlim_max;
    limit.rlim_cur = std::min(limit.rlim_cur, given.rlim_max);
  }
  setrlimit(RLIMIT_AS, &limit);
}

}  // namespace

Result<> RunnerOutput::send(FrameKind kind, std::string_view json, std::string_view blob) {
  return send_frame(fd_, kind, json, blob);
}

Result<> RunnerOutput::report(std::string_view json, std::string_view blob) {
  return state_.with([&](State& state) -> Result<> {
    if (!state.in_call) return Error{ErrorCode::Conflict, "the call this report belongs to is over"};
    return send(FrameKind::Report, json, blob);
  });
}

void RunnerOutput::log(LogLevel level, std::string_view line) {
  // Without a host there is nobody to tell.
  state_.with([&](State&) { static_cast<void>(send(FrameKind::Log, log_json(level, line)).ok()); });
}

void RunnerOutput::constructed() {
  state_.with([&](State&) { static_cast<void>(send(FrameKind::Constructed, "{}").ok()); });
}

class RunnerServer {
 public:
  RunnerServer(int calls_fd, Servant& servant)
      : calls_fd_(calls_fd), control_fd_(calls_fd + 1), output_(calls_fd), servant_(servant) {}

  [[noreturn]] void serve();

 private:
  void start_control();
  void watch_control();
  void cancel_call(std::uint64_t id);
  void start_cancel();
  void handle(const Frame& frame);
  void call(const Frame& frame);
  void send(FrameKind kind, std::string_view json, std::string_view blob = {});
  bool has_its_sockets() const;
  [[noreturn]] void end(int status, OwnDescendants& descendants);

  const int calls_fd_, control_fd_;
  RunnerOutput output_;
  Servant& servant_;
  bool greeted_ = false, watched_ = false, created_ = false;  // main thread
  std::string nonce_;                                         // main thread
  OwnDescendants main_descendants_;                           // main thread
  OwnDescendants control_descendants_;                        // control thread
  std::atomic<bool> ending_{false};
  struct Calls {
    std::uint64_t current = 0, cancelled = 0;
  };
  Guarded<Calls> calls_;
};

// False once the plugin has closed one of them.
bool RunnerServer::has_its_sockets() const { return is_socket(calls_fd_) && is_socket(control_fd_); }

// Whichever thread is first ends the process; the other one only must not go on.
void RunnerServer::end(int status, OwnDescendants& descendants) {
  if (ending_.exchange(true)) stop_for_good(0);
  stop_other_threads();
  descendants.end(kDescendantsLimit);
  _exit(status);
}

// A fence of files holds for the thread that puts it up and for what that one starts (landlock(7)). Foreign
// code can have any thread of its process run a function of its own, by a signal that libc does not let be
// blocked: so there is no other thread before the fences stand. Until then the main thread sees the host go.
void RunnerServer::start_control() {
  if (std::exchange(watched_, true)) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // it takes no signal of the plugin's
  std::thread([this] { watch_control(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void RunnerServer::watch_control() {
  FrameReader reader;
  for (;;) {
    auto got = reader.read_from(control_fd_);
    if (!got.ok()) end(kProtocolFailure, control_descendants_);  // the plugin closed it
    if (*got == FrameReader::Got::End) end(0, control_descendants_);
    for (;;) {
      auto frame = reader.next();
      if (!frame.ok()) end(kProtocolFailure, control_descendants_);
      if (!*frame) break;
      if ((*frame)->kind != FrameKind::Cancel) end(kProtocolFailure, control_descendants_);
      auto id = cancel_from_json((*frame)->json);
      if (!id.ok()) end(kProtocolFailure, control_descendants_);
      cancel_call(*id);
    }
  }
}

// On a thread of its own: a plugin's cancel may hang, and this thread must go on watching the host.
void RunnerServer::cancel_call(std::uint64_t id) {
  const bool runs = calls_.with([id](Calls& calls) {
    calls.cancelled = id;
    return calls.current == id;
  });
  if (runs) start_cancel();
}

void RunnerServer::start_cancel() {
  std::thread([this] {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);  // what the plugin starts here must not inherit a full mask
    servant_.cancel();
  }).detach();
}

void RunnerServer::send(FrameKind kind, std::string_view json, std::string_view blob) {
  auto sent = output_.state_.with([&](RunnerOutput::State&) { return output_.send(kind, json, blob); });
  if (!sent.ok()) end(has_its_sockets() ? 0 : kProtocolFailure, main_descendants_);
}

void RunnerServer::call(const Frame& frame) {
  auto head = call_from_json(frame.json);
  if (!head.ok()) end(kProtocolFailure, main_descendants_);
  if (!head->directory.empty()) {
    setenv("HOME", head->directory.c_str(), 1);
    if (chdir(head->directory.c_str()) != 0) {
      send(FrameKind::Answer, error_answer({ErrorCode::Unavailable, "working directory " + head->directory +
                                                                        ": " + errno_text(errno)}));
      return;
    }
  }
  output_.state_.with([](RunnerOutput::State& state) { state.in_call = true; });
  const bool cancelled_before = calls_.with([&](Calls& calls) {
    calls.current = head->id;
    return calls.cancelled == head->id;
  });
  if (cancelled_before) start_cancel();
  std::string answer = servant_.run(*head, frame.blob);
  calls_.with([](Calls& calls) { calls.current = 0; });
  if (has_children() && !main_descendants_.end(kDescendantsLimit)) end(kProtocolFailure, main_descendants_);
  if (!head->directory.empty()) (void)!chdir("/");  // the folder may be removed now
  auto sent = output_.state_.with([&](RunnerOutput::State& state) {
    state.in_call = false;
    auto whole = output_.send(FrameKind::Answer, answer);
    if (whole.ok() || whole.error().code != ErrorCode::TooLarge) return whole;
    return output_.send(FrameKind::Answer,
                        error_answer({ErrorCode::Permanent, "the plugin's answer is over 8 MiB"}));
  });
  if (!sent.ok()) end(0, main_descendants_);
}

void RunnerServer::handle(const Frame& frame) {
  if (!greeted_) {
    auto hello = frame.kind == FrameKind::Hello
                     ? hello_from_json(frame.json)
                     : Error{ErrorCode::InvalidInput, "the first frame must be a hello"};
    if (!hello.ok()) {
      send(FrameKind::Refused, refusal_json({"wrong_protocol", hello.error().message}));
      end(kProtocolFailure, main_descendants_);
    }
    greeted_ = true;
    nonce_ = hello->nonce;
    send(FrameKind::Welcome, welcome_json(hello->nonce));
    return;
  }
  switch (frame.kind) {
    case FrameKind::Create:
    case FrameKind::Scan: {
      const bool scans = frame.kind == FrameKind::Scan;
      auto request = scans ? scan_from_json(frame.json) : create_from_json(frame.json);
      if (!request.ok() || created_) end(kProtocolFailure, main_descendants_);
      if (kSanitizer) request->address_space_limit = 0;
      // Without them the library is as free as it will be in a runner: no reason not to look at it.
      if (scans) {
        static_cast<void>(fence_off_files(request->hidden, request->spec.library));
        static_cast<void>(fence_off_effects_of_a_probe());
      }
      if (request->spec.without_effects && !fence_off_effects()) {
        send(
            FrameKind::Refused,
            refusal_json({"no_fence",
                          "this kernel has no filter of system calls (seccomp), so that a dry run could have "
                          "effects; it is not done"}));
        return;
      }
      start_control();
      limit_address_space(request->address_space_limit, !scans && request->spec.kind == PluginKind::Agent);
      if (scans) {
        auto report = servant_.scan(*request, output_);
        if (!has_its_sockets()) end(kProtocolFailure, main_descendants_);
        if (auto* refusal = std::get_if<Refusal>(&report))
          send(FrameKind::Refused, refusal_json(*refusal));
        else
          send(FrameKind::Scanned, std::get<std::string>(report), nonce_);
      } else if (auto refusal = servant_.create(*request, output_)) {
        send(FrameKind::Refused, refusal_json(*refusal));
      } else {
        created_ = true;
        send(FrameKind::Created, "{}");
      }
      return;
    }
    case FrameKind::Call:
      if (!created_) end(kProtocolFailure, main_descendants_);
      call(frame);
      return;
    case FrameKind::End:
      servant_.release();
      fflush(stdout);
      end(0, main_descendants_);
    default:
      end(kProtocolFailure, main_descendants_);
  }
}

void RunnerServer::serve() {
  FrameReader reader;
  for (;;) {
    auto got = reader.read_from(calls_fd_);
    if (!got.ok()) end(kProtocolFailure, main_descendants_);
    if (*got == FrameReader::Got::End) end(0, main_descendants_);
    for (;;) {
      auto frame = reader.next();
      if (!frame.ok()) end(kProtocolFailure, main_descendants_);
      if (!*frame) break;
      handle(**frame);
    }
  }
}

void serve_runner(int calls_fd, Servant& servant) {
  if (!is_socket(calls_fd) || !is_socket(calls_fd + 1)) {
    std::fprintf(stderr, "davit __runner is started by davit itself, not by hand\n");
    _exit(kProtocolFailure);
  }
  prepare_process(calls_fd);
  // Lives for good: threads may still use it while the process ends.
  auto* server = new RunnerServer(calls_fd, servant);
  server->serve();
}

}  // namespace davit::isolation
