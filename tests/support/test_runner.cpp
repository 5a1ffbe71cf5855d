// A runner program for tests: serves scripts in place of plugins, and misbehaves by name.
//
//   test_runner __runner 3 <name> <tag>         as the pool starts it: serves scripts
//   test_runner plugin __runner 3 <name> <tag>  the runner of davit itself, for real libraries
//   test_runner __check __runner 3 <name> <tag>  a child of the conformance checker
//   test_runner host <tag> <request>            a host that starts one runner and waits to be killed
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "host/base/json.h"
#include "host/conformance/check_main.h"
#include "host/isolation/loop.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/runner_main.h"
#include "host/isolation/runner_pool.h"
#include "host/isolation/runner_process.h"
#include "host/isolation/runner_server.h"

using namespace davit;
using namespace davit::isolation;

// A sanitizer must not turn the signals under test into an exit, nor look for leaks in a process that is
// being killed.
extern "C" const char* __asan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:detect_leaks=0";
}
extern "C" const char* __tsan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:die_after_fork=0:halt_on_error=1";
}

namespace {

[[noreturn]] void wait_for_ever() {
  for (;;) pause();
}

// A process that left the session of its parent and its parent: only parenthood through the sub-reaper finds
// it.
void start_daemon() {
  int ready[2];
  if (pipe(ready) != 0) _exit(99);
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      (void)!write(ready[1], "x", 1);
      wait_for_ever();
    }
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  close(ready[0]);
  close(ready[1]);
}

int overflow_stack(int depth) {
  volatile char page[16384];
  page[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : overflow_stack(depth + 1) + page[0];
}

void start_children(int count) {
  for (int i = 0; i < count; ++i) {
    if (fork() == 0) {
      if (i % 4 == 0) setsid();
      if (i % 2 == 0 && fork() == 0) wait_for_ever();
      wait_for_ever();
    }
  }
}

// Every process starts two more until a bound; all of them stay.
void fork_storm(int depth) {
  for (int i = 0; i < 2; ++i) {
    if (fork() == 0) {
      if (i == 0) setsid();
      if (depth > 0) fork_storm(depth - 1);
      wait_for_ever();
    }
  }
}

class Script final : public Servant {
 public:
  std::optional<Refusal> create(const CreateRequest& request, RunnerOutput& output) override {
    output_ = &output;
    config_ = request.spec.config;
    if (request.spec.name == "refuses") return Refusal{"bad_config", "it never likes its configuration"};
    if (request.spec.name == "crashes-in-create") raise(SIGSEGV);
    if (request.spec.name == "hangs-in-create") wait_for_ever();
    return std::nullopt;
  }
  std::variant<std::string, Refusal> scan(const CreateRequest&, RunnerOutput&) override {
    return std::string("{}");
  }

  std::string run(const CallHead& head, std::string_view blob) override {
    auto document = parse_json(head.request);
    if (!document.ok()) return error_answer(document.error());
    const std::string call = string_member(*document, "call");
    const int number = static_cast<int>(int_member(*document, "number"));
    ++calls_;
    if (bool_member(*document, "daemon")) start_daemon();
    if (call == "echo") return result_answer(json_quote(blob));
    if (call == "size") return result_answer(std::to_string(blob.size()));
    if (call == "calls") return result_answer(std::to_string(calls_));
    if (call == "pid") return result_answer(std::to_string(getpid()));
    if (call == "config") return result_answer(json_quote(config_));
    if (call == "directory") {
      char path[4096];
      return result_answer(json_quote(getcwd(path, sizeof path) ? path : "?"));
    }
    if (call == "environment") {
      std::string all;
      for (char** variable = environ; *variable; ++variable) all += std::string(*variable) + "\n";
      return result_answer(json_quote(all));
    }
    if (call == "descriptors") {
      std::string all;
      for (int fd = 0; fd < 1024; ++fd) {
        if (fcntl(fd, F_GETFD) >= 0) all += std::to_string(fd) + " ";
      }
      return result_answer(json_quote(all));
    }
    if (call == "fail") return error_answer({ErrorCode::RateLimited, "later"});
    if (call == "report") {
      for (int i = 0; i < number; ++i)
        (void)output_->report("{\"n\":" + std::to_string(i) + "}", "blob").ok();
      return result_answer("true");
    }
    if (call == "log") {
      output_->log(LogLevel::Warn, "a line of the plugin");
      return result_answer("true");
    }
    if (call == "segv") raise(SIGSEGV);
    if (call == "abort") {
      std::fprintf(stderr, "the last words\n");
      std::abort();
    }
    if (call == "kill") raise(SIGKILL);
    if (call == "exit") std::exit(number);
    if (call == "overflow") return std::to_string(overflow_stack(0));
    if (call == "throw") throw 42;
    if (call == "detached") {
      std::thread([] { raise(SIGSEGV); }).detach();
      wait_for_ever();
    }
    if (call == "hang") {
      signal(SIGTERM, SIG_IGN);
      (void)output_->report("{\"hangs\":true}").ok();
      volatile bool for_ever = true;
      while (for_ever) {
      }
    }
    if (call == "wait") {  // stops when it is asked to
      (void)output_->report("{\"waits\":true}").ok();
      while (!cancelled_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return error_answer({ErrorCode::Cancelled, "stopped when asked"});
    }
    if (call == "stop") {
      raise(SIGSTOP);
      wait_for_ever();
    }
    if (call == "close") {
      // Behind the back of a sanitizer, which would stop a close of what another thread reads.
      syscall(SYS_close, kCallsFd);
      syscall(SYS_close, kControlFd);
      wait_for_ever();
    }
    if (call == "children") {
      start_children(number);
      (void)output_->report("{\"started\":true}").ok();
      wait_for_ever();
    }
    if (call == "storm") {
      fork_storm(number);
      wait_for_ever();
    }
    if (call == "forks-for-ever") {  // one child after the other, each alive for a moment
      for (;;) {
        if (fork() == 0) {
          usleep(300);
          _exit(0);
        }
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
      }
    }
    if (call == "flood") {
      std::string line(65'536, 'x');
      line.back() = '\n';
      for (int i = 0; i < number * 16; ++i) (void)!write(1, line.data(), line.size());
      return result_answer("true");
    }
    if (call == "garbage") {
      std::string bytes(4096, '\xa5');
      (void)!::send(kCallsFd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      wait_for_ever();
    }
    if (call == "too-large") {  // a header that announces 3 GiB
      char header[kFrameHeaderBytes] = {0, 0, 0, '\xc0', 0, 0, 0, 0, static_cast<char>(FrameKind::Answer)};
      (void)!::send(kCallsFd, header, sizeof header, MSG_NOSIGNAL);
      wait_for_ever();
    }
    if (call == "large-answer") return result_answer(json_quote(std::string(9u << 20, 'x')));
    if (call == "answer-twice") {
      (void)send_frame(kCallsFd, FrameKind::Answer, "{}").ok();
      return result_answer("true");
    }
    if (call == "unexpected") {
      (void)send_frame(kCallsFd, FrameKind::Welcome, "{}").ok();
      wait_for_ever();
    }
    return error_answer({ErrorCode::NotImplemented, "no such script: " + call});
  }

  void cancel() override { cancelled_ = true; }
  void release() override {}

 private:
  RunnerOutput* output_ = nullptr;
  std::string config_;
  int calls_ = 0;
  std::atomic<bool> cancelled_{false};
};

int serve_as_told(const std::string& name) {
  if (name == "exits-at-once") return 3;
  if (name == "silent") wait_for_ever();
  if (name == "lies") {
    char buffer[4096];
    (void)!recv(kCallsFd, buffer, sizeof buffer, 0);
    (void)send_frame(kCallsFd, FrameKind::Welcome, welcome_json("another nonce")).ok();
    wait_for_ever();
  }
  if (name == "other-protocol") {
    char buffer[4096];
    (void)!recv(kCallsFd, buffer, sizeof buffer, 0);
    (void)send_frame(kCallsFd, FrameKind::Welcome, R"({"protocol":99})").ok();
    wait_for_ever();
  }
  Script script;
  serve_runner(kCallsFd, script);
}

int host(const std::string& program, const std::string& tag, const std::string& request) {
  become_subreaper();
  auto log = Log::silent();
  SystemClock clock;
  KnownChildren children;
  auto loop = Loop::start("host");
  if (!loop.ok()) return 1;
  std::unique_ptr<RunnerPool> pool;
  (*loop)->run([&] {
    PoolOptions options;
    options.runner_command = {program};
    pool = std::make_unique<RunnerPool>(**loop, children, options, *log, clock);
    Call call;
    call.task_tag = tag;
    call.request = request;
    call.deadline = clock.monotonic() + std::chrono::hours(1);
    call.on_report = [](std::string_view, std::string_view) { (void)!write(1, "r", 1); };
    RunnerSpec spec;
    spec.name = "script";
    pool->call(spec, std::move(call));
  });
  wait_for_ever();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 4 && std::strcmp(argv[1], "host") == 0) return host(argv[0], argv[2], argv[3]);
  int fd = -1;
  if (argc >= 4 && is_runner_command(argc, argv, fd)) return serve_as_told(argv[3]);
  if (argc >= 2 && std::strcmp(argv[1], "plugin") == 0 && is_runner_command(argc - 1, argv + 1, fd))
    runner_main(fd);
  if (davit::conformance::is_check_command(argc, argv)) davit::conformance::check_main();
  return 2;
}
