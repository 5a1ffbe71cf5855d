// Runners die in every way a plugin can bring about. The host lives, the task says why, and everybody else is
// served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/faults/books.h"
#include "tests/faults/demo_delivery.h"
#include "tests/faults/lane.h"
#include "tests/faults/processes.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;

const std::filesystem::path kPlugins = DAVIT_BUILD_DIR "/plugins";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// No limit of addresses fits a sanitizer, and the runner sets none: the agent gets all it asks for.
constexpr char kAfterAskingForMuch[] = "exited with status 9 in the middle of a call";
#else
constexpr char kAfterAskingForMuch[] = "killed by signal 11 (SIGSEGV) in the middle of a call";
#endif

struct Death {
  const char* mode;
  const char* reason;
};
constexpr Death kDeaths[] = {
    {"segv", "killed by signal 11 (SIGSEGV) in the middle of a call"},
    {"abort", "killed by signal 6 (SIGABRT) in the middle of a call"},
    {"kill", "killed by signal 9 (SIGKILL), but not by davit"},
    {"exit0", "exited with status 0 in the middle of a call"},
    {"exit7", "exited with status 7 in the middle of a call"},
    {"overflow", "killed by signal 11 (SIGSEGV) in the middle of a call"},
    {"address_space", kAfterAskingForMuch},
    {"destructor", "killed by signal 6 (SIGABRT) in the middle of a call"},
    {"thread", "killed by signal 11 (SIGSEGV) in the middle of a call"},
};
constexpr int kCrashesUntilParked = 3;

// Sends deliveries all the while and notes which were not accepted.
class Sender {
 public:
  explicit Sender(RunningHost& host) : host_(host), thread_([this] { run(); }) {}
  ~Sender() { stop(); }
  void stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int accepted() const { return accepted_; }
  int refused() const { return refused_; }

 private:
  void run() {
    const std::string body = labeled_issue();
    while (!done_ && refused_ == 0) {
      host_.github("issues", body).status == 202 ? ++accepted_ : ++refused_;
      std::this_thread::sleep_for(10ms);  // a steady trickle, not a load test
    }
  }
  RunningHost& host_;
  std::atomic<bool> done_{false};
  std::atomic<int> accepted_{0}, refused_{0};
  std::thread thread_;
};

// What the deaths of others may not do to the host.
std::vector<std::string> harm_done(const RunningHost& host, pid_t pid_before, const Sender& sender) {
  std::vector<std::string> complaints;
  const Process now = process(pid_before);
  if (host.pid() != pid_before || now.pid == 0 || now.state == 'Z') complaints.push_back("the host died");
  if (sender.refused() != 0) complaints.push_back("a delivery was not accepted");
  if (sender.accepted() == 0) complaints.push_back("no delivery was accepted at all");
  return complaints;
}

std::string post_task(RunningHost& host, const std::string& mode) {
  auto answer = host.api("POST", "/api/tasks", R"({"agent":"unlucky","payload":{"mode":")" + mode + "\"}}");
  EXPECT_EQ(answer.status, 201) << answer.body;
  auto body = parse_json(answer.body);
  return body.ok() ? string_member(*body, "task_id") : "";
}

std::size_t count_tasks(RunningHost& host, const std::string& filter) {
  auto listed = parse_json(host.api("GET", "/api/dashboard/tasks?limit=500&" + filter).body);
  const JsonValue* tasks = listed.ok() ? find_member(*listed, "tasks") : nullptr;
  return tasks ? tasks->Size() : 0;
}

TEST(RunnerDeathsTest, EveryDeathIsTheTasksOwnAndIsToldByItsTrueReason) {
  Luck luck;
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.plugin_options = ", quarantine_after: 0";  // each death is to be met by the agent itself
  host.configure(
      "runners: {memory_limit: 1GiB}\n"
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "config: {agent: "
      "steady}}\n"
      "agents:\n  unlucky: {concurrency: 6, max_retries: 0}\n  steady: {concurrency: 2, max_retries: 0}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t pid = host.pid();

  std::map<std::string, std::string> reasons;  // by task
  std::vector<std::string> spared;
  {
    Sender sender(host);
    for (int trial = 0; trial < trials(2, 50); ++trial) {
      std::vector<Death> deaths(std::begin(kDeaths), std::end(kDeaths));
      std::shuffle(deaths.begin(), deaths.end(), luck.engine());
      for (const Death& death : deaths) reasons[in_books(post_task(host, death.mode))] = death.reason;
      spared.push_back(in_books(post_task(host, "ignore_children")));
      EXPECT_TRUE(eventually(
          [&] { return count_tasks(host, "status=parked") == std::min<std::size_t>(reasons.size(), 500); },
          90s))
          << count_tasks(host, "status=parked") << " parked of " << reasons.size() << "\n"
          << host.log();
    }
    sender.stop();
    EXPECT_THAT(harm_done(host, pid, sender), ::testing::IsEmpty()) << host.log();
    EXPECT_TRUE(eventually(
        [&] { return count_tasks(host, "status=queued") + count_tasks(host, "status=running") == 0; }, 60s));
    std::cout << reasons.size() << " deaths by " << std::size(kDeaths) << " ways, " << sender.accepted()
              << " deliveries meanwhile\n";
  }
  EXPECT_THAT(living_below(pid).size(), ::testing::Le(8u)) << "what died left something running";
  EXPECT_EQ(host.end(SIGTERM), 0);

  const auto books = read_books(host.folder() / "davit.db");
  for (const auto& [task, reason] : reasons) {
    ASSERT_EQ(books.count(task), 1u);
    const BookedTask& booked = books.at(task);
    EXPECT_EQ(booked.executions.size(), static_cast<std::size_t>(kCrashesUntilParked));
    for (const BookedExecution& execution : booked.executions) {
      EXPECT_EQ(execution.outcome, "crashed");
      EXPECT_THAT(execution.error, ::testing::HasSubstr(reason));
    }
  }
  for (const std::string& task : spared)
    EXPECT_EQ(books.at(task).completed(), 1) << "it only ignored SIGCHLD";
  for (const auto& [task, booked] : books) {
    if (booked.agent != "steady") continue;
    EXPECT_EQ(booked.completed(), 1) << task;
    EXPECT_EQ(booked.executions.size(), 1u) << task;
  }
}

// The known-bad variant: the plugin that crashes is in the host itself.
TEST(RunnerDeathsTest, ACrashInTheHostItselfIsSeen) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
  host.install(DAVIT_BUILD_DIR "/tests/plugins/good_webhook.so");
  host.configure(
      "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "config: {agent: "
      "steady}}\n"
      "  good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, config: {mode: "
      "crash}}\n"
      "agents:\n  steady: {}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t pid = host.pid();
  Sender sender(host);
  ASSERT_TRUE(eventually([&] { return sender.accepted() > 0; }, 20s));
  host.request("POST", "/webhooks/good", "{}",
               {{"Content-Type", "application/json"},
                {"X-Delivery", "one"},
                {"X-Signature", RunningHost::github_signature("{}")}});
  EXPECT_TRUE(eventually([&] { return sender.refused() > 0; }, 20s));
  EXPECT_THAT(harm_done(host, pid, sender),
              ::testing::ElementsAre("the host died", "a delivery was not accepted"));
}

}  // namespace
}  // namespace davit::faults
