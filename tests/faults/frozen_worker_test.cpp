// A worker that is frozen past its lease (SIGSTOP), whose task another one then takes over, and that wakes
// up: whatever it still says must not be heard.
//
// The workers are processes of their own; they speak to the test, which has the store, over a socket, each
// under the fence that its claim was given.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "tests/support/temp_database.h"

namespace davit::faults {
namespace {

using testing::wait;

constexpr Duration kLease{200};
constexpr std::chrono::seconds kPatience{60};

// One message each; empty when the other side is gone.
void say(int fd, const std::string& text) {
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) ::_exit(3);
}
std::string hear(int fd) {
  char text[256];
  const ssize_t length = ::recv(fd, text, sizeof text, 0);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

// What a worker does: claims, and then, each time it is told to, says all that a worker can say about its
// attempt. Ends with how much of it was accepted.
[[noreturn]] void work(int fd) {
  say(fd, "claim");
  const std::string fence = hear(fd);
  int accepted = 0;
  while (hear(fd) == "speak") {
    for (const char* what : {"renew ", "report ", "finish "}) {
      say(fd, what + fence);
      if (hear(fd) == "accepted") ++accepted;
    }
  }
  ::_exit(accepted);
}

class Worker {
 public:
  explicit Worker(std::string name) : name_(std::move(name)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      work(ends[1]);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~Worker() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(fd_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const std::string& name() const { return name_; }
  int fd() const { return fd_; }
  // Returns when it stands still.
  void freeze() {
    int status = 0;
    ASSERT_EQ(::kill(pid_, SIGSTOP), 0);
    ASSERT_EQ(::waitpid(pid_, &status, WUNTRACED), pid_);
    ASSERT_TRUE(WIFSTOPPED(status));
  }
  void wake() { ASSERT_EQ(::kill(pid_, SIGCONT), 0); }
  // How much of what it said was accepted, once it has ended.
  int end() {
    say(fd_, "end");
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  std::string name_;
  pid_t pid_ = 0;
  int fd_ = -1;
};

// Whose word about a task counts: the attempt's that the worker names, or, in the known-bad variant, that of
// whoever names the task.
enum class GoesBy { Fence, Task };

class Relay {
 public:
  Relay(store::Store& store, GoesBy goes_by) : store_(store), goes_by_(goes_by) {}

  // Takes the claim that the worker asks for, without telling it yet.
  std::string take_claim(Worker& worker) {
    EXPECT_EQ(hear(worker.fd()), "claim");
    const auto claimed = wait<std::vector<ClaimedTask>>([&](auto done) {
      store_.claim({.agents = {{"agent", 1}}, .limit = 1, .lease = kLease}, done);
    });
    if (!claimed.ok() || claimed->size() != 1) return {};
    newest_ = claimed->front().fence;
    sessions_[worker.name()] = claimed->front().session_id;
    return std::to_string(newest_.task_row) + " " + std::to_string(newest_.number);
  }

  // Lets it say its three things. Gives which of them were accepted.
  std::vector<std::string> let_speak(Worker& worker) {
    std::vector<std::string> accepted;
    say(worker.fd(), "speak");
    for (int i = 0; i < 3; ++i) {
      std::istringstream said(hear(worker.fd()));
      std::string what;
      Fence fence;
      said >> what >> fence.task_row >> fence.number;
      if (goes_by_ == GoesBy::Task) fence = newest_;
      const bool heard = pass_on(what, fence, worker.name());
      if (heard) accepted.push_back(what);
      say(worker.fd(), heard ? "accepted" : "refused");
    }
    return accepted;
  }

  const std::string& session_of(const Worker& worker) { return sessions_[worker.name()]; }

 private:
  bool pass_on(const std::string& what, const Fence& fence, const std::string& name) {
    if (what == "renew") {
      const auto renewal =
          wait<store::Renewal>([&](auto done) { store_.renew({fence}, kLease, std::move(done)); });
      return renewal.ok() && renewal->lost.empty();
    }
    if (what == "report") {
      store::LiveReport report{.fence = fence};
      report.usage.emplace().input_tokens = 5;
      report.transcript.lines = {{"text", "says " + name}};
      const std::size_t before = lines();
      const bool ok = wait([&](auto done) { store_.report({report}, std::move(done)); }).ok();
      return ok && lines() > before;
    }
    store::Finish finish;
    finish.fence = fence;
    finish.outcome = "completed";
    finish.result.success = true;
    finish.result.output = "\"" + name + "\"";
    return wait<TaskState>([&](auto done) { store_.finish(finish, std::move(done)); }).ok();
  }
  std::size_t lines() {
    std::size_t count = 0;
    for (const auto& [name, session] : sessions_) count += store_.transcript(session, 100)->size();
    return count;
  }

  store::Store& store_;
  const GoesBy goes_by_;
  Fence newest_;
  std::map<std::string, std::string> sessions_;  // by worker
};

// One sentence for each promise that was not kept.
std::vector<std::string> broken_promises(GoesBy goes_by) {
  std::vector<std::string> broken;
  // Before there are threads.
  Worker frozen("frozen"), other("other");
  SystemClock clock;
  testing::TempDatabase database(clock);
  store::Store& store = database.store();
  NewTask wanted;
  wanted.agent = "agent";
  const std::string id = wait<std::string>([&](auto done) {
                           store.create_task(wanted, "test", std::nullopt, std::move(done));
                         }).value();
  Relay relay(store, goes_by);

  const std::string first = relay.take_claim(frozen);
  frozen.freeze();
  say(frozen.fd(), first);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (wait<int>([&](auto done) { store.reap_expired_leases(std::move(done)); }).value() == 0) {
    if (std::chrono::steady_clock::now() > until)
      return {"the lease of a worker that stands still never ends"};
  }
  say(other.fd(), relay.take_claim(other));

  frozen.wake();
  const auto too_late = [&](const char* when) {
    for (const std::string& what : relay.let_speak(frozen))
      broken.push_back("a " + what + " of the worker that lost its task was accepted " + when);
  };
  too_late("while another one works");
  if (const std::vector<std::string> heard = relay.let_speak(other); heard.size() != 3)
    broken.push_back("the worker that has the task was refused");
  too_late("after another one has finished");
  if (frozen.end() != 0) broken.push_back("the worker that lost its task believes that it was heard");
  if (other.end() != 3) broken.push_back("the worker that has the task believes that it was not heard");

  const TaskDetail task = store.task(id).value();
  if (task.task.state != TaskState::Completed || task.result != "\"other\"")
    broken.push_back("the result is that of " + task.result);
  if (task.executions.size() != 2 || task.executions[0].outcome != "lost" || task.task.total_tokens != 5 ||
      task.executions[0].usage.total_tokens() != 0)
    broken.push_back("the books do not show one that was lost, and the other one once");
  if (task.task.losses != 1 || task.task.crashes != 0 || task.task.attempt != 1)
    broken.push_back("what was lost counts as an attempt or a crash");
  for (Worker* worker : {&frozen, &other}) {
    const auto lines = store.transcript(relay.session_of(*worker), 10).value();
    if (lines.size() != (worker == &other ? 1u : 0u))
      broken.push_back("the transcript of " + worker->name() + " has what it must not have");
  }
  const std::vector<std::string> findings = store::verify(database.path()).value();
  broken.insert(broken.end(), findings.begin(), findings.end());
  return broken;
}

TEST(FrozenWorkerTest, WhatAFrozenWorkerSaysAfterItsLeaseIsNotHeard) {
  for (const std::string& sentence : broken_promises(GoesBy::Fence)) ADD_FAILURE() << sentence;
}

TEST(FrozenWorkerTest, AStoreThatGoesByTheTaskAloneIsSeen) {
  const std::vector<std::string> broken = broken_promises(GoesBy::Task);
  const auto says = [&](const std::string& sentence) {
    return std::find(broken.begin(), broken.end(), sentence) != broken.end();
  };
  EXPECT_TRUE(says("a finish of the worker that lost its task was accepted while another one works"));
  EXPECT_TRUE(says("the worker that has the task was refused"));
  EXPECT_TRUE(says("the result is that of \"frozen\""));
}

}  // namespace
}  // namespace davit::faults
