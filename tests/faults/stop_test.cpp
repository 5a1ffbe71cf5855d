// FT-23: the host is asked to stop in the middle of a load, while agents run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/faults/hasty_front.h"
#include "tests/faults/lane.h"

namespace davit::faults {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RunningHost;

constexpr int kConnections = 4;
constexpr char kShortWork[] = "[/bin/sh, -c, 'cat >/dev/null; sleep 0.2']";
constexpr char kLongWork[] = "[/bin/sh, -c, 'cat >/dev/null; sleep 600']";
constexpr std::chrono::seconds kLongestStop{10};

// Codes of task.state.
constexpr int kQueued = 0;
constexpr int kCompleted = 3;

// What a stop must leave: an orderly end in time, and work that is done or waits as if it had never begun.
std::vector<std::string> disorder(int exit_status, std::chrono::steady_clock::duration took,
                                  const Acknowledged& acknowledged, const Books& books) {
  std::vector<std::string> found = broken_promises(acknowledged, books);
  if (exit_status != 0) found.push_back("the host ended with " + std::to_string(exit_status));
  if (took > kLongestStop) found.push_back("the host took too long to stop");
  for (const auto& [id, task] : books.tasks) {
    if (task.state != kQueued && task.state != kCompleted)
      found.push_back("task " + id + " was left in state " + std::to_string(task.state));
    if (task.state == kQueued && task.attempt + task.crashes != 0)
      found.push_back("task " + id + " waits and has burnt an attempt");
  }
  return found;
}

std::vector<std::string> disorder_of_end(RunningHost& host, int signal, const Acknowledged& acknowledged) {
  const auto asked = std::chrono::steady_clock::now();
  const int status = host.end(signal);
  return disorder(status, std::chrono::steady_clock::now() - asked, acknowledged,
                  Books::read(host.folder() / "davit.db"));
}

template <typename Condition>
bool eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // watches another process
  }
  return true;
}

bool work_began(const RunningHost& host) { return host.log().find("execution started") != std::string::npos; }

TEST(StopTest, AStopUnderLoadIsOrderlyAndBurnsNoAttempt) {
  Luck luck;
  RunningHost host;
  make_echo_host(host, kShortWork);
  Acknowledged acknowledged;
  const int cycles = trials(20, 1'000);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    ASSERT_TRUE(host.start()) << host.log();
    Senders senders(host.port(), kConnections, "c" + std::to_string(cycle), acknowledged);
    ASSERT_TRUE(acknowledged.wait_for(acknowledged.count() + luck.between(1, 200))) << host.log();
    const auto found = disorder_of_end(host, luck.between(0, 1) == 0 ? SIGTERM : SIGINT, acknowledged);
    senders.stop();
    ASSERT_THAT(found, IsEmpty()) << join(found) << host.log();
    ASSERT_EQ(senders.surprises(), 0);
  }
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(deliver(host.port(), "afterwards").status, 202);
  EXPECT_EQ(host.end(SIGTERM), 0);
  std::cout << cycles << " stops, " << acknowledged.count() << " acknowledged, none lost" << std::endl;
}

TEST(StopTest, AnAgentThatDoesNotEndDoesNotHoldUpTheStop) {
  RunningHost host;
  make_echo_host(host, "[/bin/sh, -c, 'trap \"\" TERM; cat >/dev/null; while :; do sleep 600; done']");
  ASSERT_TRUE(host.start()) << host.log();
  Acknowledged acknowledged;
  acknowledged.add("one", task_of(deliver(host.port(), "one")));
  ASSERT_TRUE(eventually([&] { return work_began(host); })) << host.log();
  const auto found = disorder_of_end(host, SIGTERM, acknowledged);
  EXPECT_THAT(found, IsEmpty()) << join(found) << host.log();
}

TEST(StopTest, ASecondSignalEndsAtOnce) {
  RunningHost host;
  make_echo_host(host);
  std::string hangs = read_file(host.folder() / "davit.yaml").value();
  hangs.replace(hangs.find("10000}"), 6, "10000, config: {mode: hang}}");
  ASSERT_TRUE(write_file_atomically(host.folder() / "davit.yaml", hangs, 0600).ok());
  ASSERT_TRUE(host.start()) << host.log();
  // A thread of the host is now lost in the webhook, and the stop waits for its answer until its patience
  // ends.
  test::RawClient client(host.port());
  client.send(delivery_request("lost"));
  ASSERT_TRUE(eventually([&] { return host.log().find("handle hangs from now on") != std::string::npos; }))
      << host.log();
  ASSERT_EQ(::kill(host.pid(), SIGTERM), 0);
  ASSERT_TRUE(eventually([&] { return host.log().find("davit stops") != std::string::npos; })) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 1) << host.log();
  EXPECT_THAT(host.log(), Not(HasSubstr("the stop takes too long"))) << "it waited all the same";
}

// The host under a supervisor.
pid_t host_below(pid_t supervisor) {
  pid_t host = -1;
  std::ifstream("/proc/" + std::to_string(supervisor) + "/task/" + std::to_string(supervisor) +
                "/children") >>
      host;
  return host;
}

// The value of a line of /proc/PID/status.
std::string status_of(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(name + ":\t", 0) == 0) return line.substr(name.size() + 2);
  return "0";
}

bool has_signal(pid_t pid, const std::string& mask, int signal) {
  return (std::stoull(status_of(pid, mask), nullptr, 16) >> (signal - 1) & 1) == 1;
}

bool freeze(pid_t pid) {
  return ::kill(pid, SIGSTOP) == 0 && eventually([&] { return status_of(pid, "State")[0] == 'T'; });
}

TEST(SupervisedStopTest, AHostThatHangsIsKilledWhenItsTimeIsUp) {
  RunningHost host;
  host.server_options = ", drain_timeout: 0ms";
  make_echo_host(host);
  ASSERT_TRUE(host.start({})) << host.log();
  ASSERT_TRUE(freeze(host_below(host.pid())));
  EXPECT_EQ(host.end(SIGTERM), 1);
  EXPECT_THAT(host.log(), HasSubstr("the host does not stop in time; it is killed"));
}

TEST(SupervisedStopTest, ASecondSignalKillsAHostThatHangs) {
  RunningHost host;
  host.server_options = ", drain_timeout: 1h";
  make_echo_host(host);
  ASSERT_TRUE(host.start({})) << host.log();
  const pid_t below = host_below(host.pid());
  ASSERT_TRUE(freeze(below));
  ASSERT_EQ(::kill(host.pid(), SIGTERM), 0);
  // The first one was taken when it waits at the host.
  ASSERT_TRUE(eventually([&] { return has_signal(below, "ShdPnd", SIGTERM); }));
  EXPECT_EQ(host.end(SIGINT), 1);
  EXPECT_THAT(host.log(), HasSubstr("a second signal to stop; the host is killed"));
}

TEST(SupervisedStopTest, ASignalToBothIsOneRequest) {
  RunningHost host;
  make_echo_host(host, kShortWork);
  ASSERT_TRUE(host.start({})) << host.log();
  ASSERT_EQ(deliver(host.port(), "one").status, 202);
  ASSERT_EQ(::kill(host_below(host.pid()), SIGTERM), 0);
  EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
}

// Right after the spawn nobody but the one who spawns can keep a signal from ending a program; so he does,
// and it waits there from before the first instruction on.
TEST(EarlyStopTest, AStopThatWasAskedForBeforeTheStartIsOrderly) {
  RunningHost host;
  make_echo_host(host);
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--no-supervisor"}}) {
    for (int round = 0; round < trials(10, 300); ++round) {
      sigset_t stop, before;
      sigemptyset(&stop);
      sigaddset(&stop, round % 2 == 0 ? SIGTERM : SIGINT);
      pthread_sigmask(SIG_BLOCK, &stop, &before);
      host.launch(more);
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      ASSERT_EQ(host.end(round % 2 == 0 ? SIGTERM : SIGINT), 0) << "round " << round << "\n" << host.log();
    }
  }
}

TEST(EarlyStopTest, AStopIsOrderlyFromTheMomentTheProgramBegins) {
  RunningHost host;
  make_echo_host(host);
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--no-supervisor"}}) {
    for (int round = 0; round < trials(10, 300); ++round) {
      host.follow_port();  // what the log tells of the round before is no news
      host.launch(more);
      // While it waits for a signal it does not block that one, so that the moment may be missed.
      while (host.running() && !has_signal(host.pid(), "SigBlk", SIGTERM) && !host.follow_port()) {
      }
      ASSERT_EQ(host.end(SIGTERM), 0) << "round " << round << "\n" << host.log();
    }
  }
}

// The known-bad variants: a host that is killed instead, one that ends its agents before it has let go of
// their tasks, and one that acknowledges before it commits.
TEST(StopTest, AKillInPlaceOfAStopIsCaught) {
  RunningHost host;
  make_echo_host(host, kLongWork);
  ASSERT_TRUE(host.start()) << host.log();
  Acknowledged acknowledged;
  acknowledged.add("one", task_of(deliver(host.port(), "one")));
  ASSERT_TRUE(eventually([&] { return work_began(host); })) << host.log();
  const auto found = disorder_of_end(host, SIGKILL, acknowledged);
  EXPECT_THAT(join(found), HasSubstr("ended with -9"));
  EXPECT_THAT(join(found), HasSubstr("was left in state"));
}

std::vector<pid_t> runners_of(pid_t host) {
  std::vector<pid_t> runners;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(host) + "/task")) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child; children >> child;) runners.push_back(child);
  }
  return runners;
}

TEST(StopTest, AnAttemptThatIsBurntIsCaught) {
  RunningHost host;
  make_echo_host(host, kLongWork);
  ASSERT_TRUE(host.start()) << host.log();
  Acknowledged acknowledged;
  acknowledged.add("one", task_of(deliver(host.port(), "one")));
  ASSERT_TRUE(eventually([&] { return work_began(host); })) << host.log();
  ASSERT_TRUE(eventually([&] {
    for (const pid_t runner : runners_of(host.pid())) ::kill(runner, SIGKILL);
    return host.log().find("execution ended") != std::string::npos;
  })) << host.log();
  const auto found = disorder_of_end(host, SIGTERM, acknowledged);
  EXPECT_THAT(join(found), HasSubstr("burnt an attempt"));
}

TEST(StopTest, AnAcknowledgementBeforeTheCommitIsCaught) {
  Luck luck;
  RunningHost host;
  make_echo_host(host, kShortWork);
  Acknowledged acknowledged;
  std::vector<std::string> found;
  int cycle = 0;
  for (; cycle < 60 && found.empty(); ++cycle) {
    ASSERT_TRUE(host.start()) << host.log();
    HastyFront front(host.port());
    Senders senders(front.port(), kConnections, "c" + std::to_string(cycle), acknowledged);
    ASSERT_TRUE(acknowledged.wait_for(acknowledged.count() + luck.between(1, 120))) << host.log();
    host.end(SIGTERM);
    senders.stop();
    found = broken_promises(acknowledged, Books::read(host.folder() / "davit.db"));
  }
  EXPECT_FALSE(found.empty()) << "this test would not notice lost deliveries";
  std::cout << cycle << " stops behind a hasty front, " << found.size() << " lost" << std::endl;
}

}  // namespace
}  // namespace davit::faults
