// Agents that die, refuse to end, or wait, as the payload of their task says: {"mode": …}. No mode: success.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <davit/agent.hpp>
#include <fstream>
#include <string>
#include <thread>

#include "tests/faults/misbehaviour.h"

namespace {

namespace faults = davit::faults;

// A death is to be that of the signal, also where a sanitizer would catch it.
void catch_nothing() {
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS}) ::signal(signal, SIG_DFL);
}

[[gnu::noinline]] int overflow(volatile char* above) {
  volatile char frame[16 << 10];
  frame[0] = above ? above[0] : 'x';
  return overflow(frame) + frame[0];
}

struct ThrowsWhenItEnds {
  // NOLINTNEXTLINE(bugprone-exception-escape): that is the point
  ~ThrowsWhenItEnds() { throw 42; }
};

// Asks for 4 GiB of addresses, and does not look whether it got them. Were there no limit, it ends with 9.
void use_up_the_address_space() {
  for (int piece = 0; piece < 64; ++piece) {
    void* memory = ::mmap(nullptr, 64u << 20, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *static_cast<volatile char*>(memory == MAP_FAILED ? nullptr : memory) = 1;
  }
  ::_exit(9);
}

void die(std::string_view how) {
  catch_nothing();
  if (how == "segv") *static_cast<volatile char*>(nullptr) = 1;
  if (how == "abort") std::abort();
  if (how == "kill") ::kill(::getpid(), SIGKILL);
  if (how == "exit0") std::exit(0);
  if (how == "exit7") std::exit(7);
  if (how == "overflow") std::exit(overflow(nullptr));
  if (how == "address_space") use_up_the_address_space();
  if (how == "destructor") ThrowsWhenItEnds thrower;
  if (how == "thread") {
    std::thread([] { *static_cast<volatile char*>(nullptr) = 1; }).detach();
    faults::hang();
  }
}

// Its children's deaths are nobody's business: waitpid then fails with ECHILD in the whole process.
void ignore_children() {
  ::signal(SIGCHLD, SIG_IGN);
  for (int child = 0; child < 3; ++child) {
    if (::fork() == 0) ::_exit(child);
  }
}

void note(const std::string& file, const std::string& line) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, line.data(), line.size()) < 0) std::abort();
  ::close(fd);
}

// Begins, leaves a daemon and a file, and ends when the file "go" is there. Both ends are noted in "diary".
void hold(const davit::AgentContext& context) {
  const std::string diary(context.task.payload["diary"].string_or(""));
  const std::string go(context.task.payload["go"].string_or(""));
  const std::string task(context.task_id);
  std::ofstream(context.workspace / "left behind") << "by " << task;
  if (::access(go.c_str(), F_OK) != 0) faults::leave_a_daemon();
  note(diary, "begin " + task + "\n");
  while (::access(go.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  note(diary, "end " + task + "\n");
}

class UnluckyAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "unlucky", .description = "Dies, hangs or waits"};
  }
  davit::AgentResult execute(const davit::AgentContext& context, davit::Run&) override {
    const std::string mode(context.task.payload["mode"].string_or(""));
    if (mode == "hold") {
      hold(context);
    } else if (mode == "ignore_children") {
      ignore_children();
    } else if (!mode.empty()) {
      die(mode);
      faults::refuse_to_end(mode);
      return davit::AgentResult::failed("no such mode", davit::ErrorClass::Permanent);
    }
    return davit::AgentResult::ok();
  }
};

class SteadyAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override { return {.name = "steady", .description = "Succeeds"}; }
  davit::AgentResult execute(const davit::AgentContext&, davit::Run&) override {
    return davit::AgentResult::ok();
  }
};

}  // namespace

DAVIT_REGISTER_AGENT(UnluckyAgent)
DAVIT_REGISTER_AGENT(SteadyAgent)
