// kill -9 of the host or of a runner in the middle of things: nothing goes on running, nothing is left lying
// about after the next start, and in the books nothing ran twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/faults/books.h"
#include "tests/faults/lane.h"
#include "tests/faults/misbehaviour.h"
#include "tests/faults/processes.h"
#include "tests/support/running_host.h"

namespace davit::faults {
namespace {

using namespace std::chrono_literals;
using ::davit::testing::RunningHost;
using ::testing::IsEmpty;

constexpr std::size_t kAgents = 4;

class LeftRunningTest : public ::testing::Test {
 protected:
  void SetUp() override {
    keep_descendants();
    host.install(DAVIT_BUILD_DIR "/tests/faults/unlucky_agent.so");
    host.configure("agents:\n  unlucky: {concurrency: 4, max_retries: 0, timeout_seconds: 600}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  void TearDown() override {
    host.end(SIGKILL);
    kill_all_below(getpid());
  }

  std::filesystem::path diary() const { return host.folder() / "diary"; }
  std::filesystem::path go() const { return host.folder() / "go"; }

  // Four tasks that run until go() exists.
  void post_tasks() {
    for (std::size_t i = 0; i < kAgents; ++i) {
      auto answer = host.api("POST", "/api/tasks",
                             R"({"agent":"unlucky","payload":{"mode":"hold","diary":")" + diary().string() +
                                 R"(","go":")" + go().string() + "\"}}");
      ASSERT_EQ(answer.status, 201) << answer.body;
      tasks.push_back(string_member(*parse_json(answer.body), "task_id"));
    }
  }
  // How often the agents themselves say that `word` happened: to all, or to one task.
  std::size_t noted(const std::string& word, const std::string& task = "") const {
    std::ifstream file(diary());
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.rfind(word + " " + task, 0) == 0) ++count;
    }
    return count;
  }
  std::set<std::string> work_folders() const {
    std::set<std::string> names;
    std::error_code failure;
    std::filesystem::directory_iterator entry(host.folder() / "work", failure), end;
    for (; !failure && entry != end; entry.increment(failure)) names.insert(entry->path().filename());
    return names;
  }
  // All run, each with its daemon.
  ::testing::AssertionResult all_hold(std::size_t begun) {
    if (eventually([&] { return noted("begin") == begun && living_below(host.pid()).size() == 2 * kAgents; },
                   30s))
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << noted("begin") << " begun of " << begun
                                         << ", running:" << names_of(living_below(host.pid())) << "\n"
                                         << host.log();
  }
  void let_them_finish() {
    std::ofstream(go()) << "now";
    for (const std::string& task : tasks) host.wait_for_task(task, {"completed"});
  }

  RunningHost host;
  std::vector<std::string> tasks;
};

// Twice for each set of tasks: the third death of its host while it runs would park a task.
TEST_F(LeftRunningTest, NothingOutlivesAKilledHostAndEveryTaskGoesOnOnce) {
  Luck luck;
  constexpr std::size_t kKills = 2;
  std::vector<std::string> all;
  std::size_t begun = 0;
  for (int round = 0; round < trials(3, 100); ++round) {
    std::filesystem::remove(go());
    tasks.clear();
    post_tasks();
    for (std::size_t kill = 0; kill < kKills; ++kill) {
      ASSERT_TRUE(all_hold(begun += kAgents));
      const auto work_before = work_folders();
      EXPECT_GE(work_before.size(), kAgents);
      std::this_thread::sleep_for(std::chrono::milliseconds(luck.between(0, 50)));  // when is left to chance
      host.end(SIGKILL);
      EXPECT_TRUE(eventually([] { return living_below(getpid()).empty(); }, 5s))
          << "left running:" << names_of(living_below(getpid()));
      ASSERT_TRUE(host.start()) << host.log();
      EXPECT_TRUE(eventually(
          [&] {
            const auto now = work_folders();
            return std::none_of(work_before.begin(), work_before.end(),
                                [&](const std::string& name) { return now.count(name) != 0; });
          },
          10s))
          << "the work of dead executions still lies about";
    }
    ASSERT_TRUE(all_hold(begun += kAgents));
    let_them_finish();
    all.insert(all.end(), tasks.begin(), tasks.end());
  }
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(work_folders(), IsEmpty());

  const auto books = read_books(host.folder() / "davit.db");
  EXPECT_THAT(double_entries(books), IsEmpty());
  for (const std::string& task : all) {
    const BookedTask& booked = books.at(in_books(task));
    EXPECT_EQ(booked.completed(), 1) << task;
    EXPECT_EQ(booked.executions.size(), kKills + 1) << "once again after each kill, and no more";
    EXPECT_EQ(noted("begin", task), kKills + 1);
    EXPECT_EQ(noted("end", task), 1u);
  }
}

TEST_F(LeftRunningTest, AKilledRunnerTakesItsTreeAlongAndLeavesTheOthersAlone) {
  post_tasks();
  ASSERT_TRUE(all_hold(kAgents));
  std::vector<pid_t> runners;
  for (const Process& one : living_below(host.pid())) {
    if (one.parent == host.pid()) runners.push_back(one.pid);
  }
  ASSERT_EQ(runners.size(), kAgents);
  const std::size_t rounds = static_cast<std::size_t>(trials(1, 2));  // the third crash would park a task
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto below = living_below(runners[i]);
    ASSERT_EQ(below.size(), 1u);
    ::kill(runners[i], SIGKILL);
    EXPECT_TRUE(eventually([&] { return process(below[0].pid).pid == 0; }, 5s)) << "its daemon lives on";
    for (std::size_t other = i + 1; other < runners.size(); ++other) {
      EXPECT_NE(process(runners[other]).pid, 0) << "another runner was ended as well";
    }
    ASSERT_TRUE(all_hold(kAgents + i + 1));
  }
  EXPECT_TRUE(host.running());
  let_them_finish();
  EXPECT_EQ(host.end(SIGTERM), 0);

  const auto books = read_books(host.folder() / "davit.db");
  EXPECT_THAT(double_entries(books), IsEmpty());
  std::size_t crashed = 0;
  for (const std::string& task : tasks) {
    EXPECT_EQ(books.at(in_books(task)).completed(), 1);
    EXPECT_EQ(noted("end", task), 1u);
    for (const BookedExecution& one : books.at(in_books(task)).executions) {
      if (one.outcome != "crashed") continue;
      ++crashed;
      EXPECT_THAT(one.error, ::testing::HasSubstr("SIGKILL), but not by davit"));
    }
  }
  EXPECT_EQ(crashed, rounds);
}

// Known-bad variants: what nobody looks after, and books in which something ran twice.

TEST_F(LeftRunningTest, AProcessOutsideTheHostsCareIsSeen) {
  post_tasks();
  ASSERT_TRUE(all_hold(kAgents));
  leave_a_daemon();  // as if an agent had got something else to start it
  host.end(SIGKILL);
  EXPECT_FALSE(eventually([] { return living_below(getpid()).empty(); }, 5s));
  EXPECT_EQ(living_below(getpid()).size(), 1u) << names_of(living_below(getpid()));
}

TEST_F(LeftRunningTest, BooksInWhichATaskRanTwiceAreSeen) {
  post_tasks();
  let_them_finish();
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto database = host.folder() / "davit.db";
  ASSERT_THAT(double_entries(read_books(database)), IsEmpty());
  rows_of(
      database,
      "INSERT INTO execution (task, session, attempt, started_at, ended_at, success, agent, outcome)"
      " SELECT task, randomblob(16), 2, started_at, ended_at + 1, 1, agent, outcome FROM execution LIMIT 1");
  EXPECT_EQ(double_entries(read_books(database)).size(), 2u) << "it completed twice, and at the same time";
  rows_of(database, "UPDATE execution SET ended_at = NULL WHERE row = 2");
  EXPECT_EQ(double_entries(read_books(database)).size(), 3u) << "and another one never ended";
}

}  // namespace
}  // namespace davit::faults
