// FT-01 and FT-02 over the whole life of tasks: the program that moves them is killed, or the power cut, at
// any moment, and all that it was told stays true.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "host/base/file.h"
#include "tests/faults/cycle_promises.h"
#include "tests/faults/power_cut.h"

namespace davit::faults {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::TempFolder;

constexpr char kDriver[] = DAVIT_BUILD_DIR "/tests/faults/cycle_driver";
constexpr const char* kKinds[] = {"accepted",   "claimed",  "reported", "kept",      "finished", "failed",
                                  "retried",    "approved", "rejected", "charged",   "cancelled", "fired",
                                  "disallowed"};

class WholeCycleTest : public ::testing::Test {
 protected:
  // The driver, until it has said so many lines more, and not one line longer. What it said is heard.
  void run_and_kill(std::vector<std::string> options, int lines) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    options.insert(options.begin(), {kDriver, database_.string()});
    std::vector<char*> argv;
    for (std::string& word : options) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t pid = -1;
    ASSERT_EQ(::posix_spawn(&pid, kDriver, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string said;
    char bytes[4096];
    bool killed = false;
    for (ssize_t count; (count = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
      said.append(bytes, static_cast<std::size_t>(count));
      if (!killed && std::count(said.begin(), said.end(), '\n') >= lines) killed = ::kill(pid, SIGKILL) == 0;
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself: " << said;
    std::istringstream all(said);
    for (std::string line; std::getline(all, line) && !all.eof();) promises_.hear(line);
  }
  std::vector<std::string> broken() const {
    // It may end before it has made one; then it can have promised nothing.
    if (!std::filesystem::exists(database_)) return promises_.broken({});
    const CycleBooks books = CycleBooks::read(database_);
    if (!books.damage.empty()) return {"the database is damaged: " + books.damage};
    return promises_.broken(books);
  }
  bool has_heard_of_all() const {
    return promises_.pruned() > 10 &&
           std::all_of(std::begin(kKinds), std::end(kKinds),
                       [&](const char* kind) { return promises_.count(kind) > 10; });
  }
  // Kills it until something is broken.
  std::vector<std::string> break_with(const std::string& known_bad) {
    std::vector<std::string> broken;
    for (int cycle = 0; cycle < 600 && broken.empty(); ++cycle) {
      run_and_kill({known_bad, "ahead=" + std::to_string(cycle)}, luck_.between(1, 150));
      if (HasFatalFailure()) return {};
      broken = this->broken();
    }
    return broken;
  }

  Luck luck_;
  TempFolder folder_;
  const std::filesystem::path database_ = folder_.path() / "davit.db";
  CyclePromises promises_;
};

TEST_F(WholeCycleTest, WhatWasSaidIsTrueAfterEveryKill) {
  // What is heard in each cycle is luck: more of them until all has been.
  const int least = trials(60, 1'000);
  int cycles = 0;
  for (; cycles < least || (!has_heard_of_all() && cycles < 4 * least); ++cycles) {
    SCOPED_TRACE("cycle " + std::to_string(cycles));
    ASSERT_NO_FATAL_FAILURE(run_and_kill({"ahead=" + std::to_string(cycles)}, luck_.between(1, 150)));
    ASSERT_THAT(broken(), IsEmpty());
  }
  for (const char* kind : kKinds) EXPECT_GT(promises_.count(kind), 10u) << kind;
  EXPECT_GT(promises_.pruned(), 10);
  EXPECT_EQ(promises_.refused(), 0);
  ASSERT_EQ(run_to_end({kDriver, database_.string(), "rounds=3", "ahead=" + std::to_string(cycles)},
                       folder_.path() / "said"),
            0);
  const auto findings = store::verify(database_);
  ASSERT_TRUE(findings.ok()) << findings.error().message;
  EXPECT_THAT(*findings, IsEmpty());
  std::cout << cycles << " kills;";
  for (const char* kind : kKinds) std::cout << " " << promises_.count(kind) << " " << kind;
  std::cout << "; " << promises_.pruned() << " pruned" << std::endl;
}

TEST_F(WholeCycleTest, WhatIsSaidBeforeTheAnswerIsCaught) {
  EXPECT_THAT(break_with("hasty"), ::testing::Not(IsEmpty())) << "this test would not notice what is lost";
}

TEST_F(WholeCycleTest, AnAttemptThatSpeaksForTheOneAfterItIsCaught) {
  EXPECT_THAT(break_with("unfenced"), Contains(StartsWith("fence of")))
      << "this test would not notice that a superseded attempt is heard";
}

TEST_F(WholeCycleTest, AnEndThatIsToldInAWriteOfItsOwnIsCaught) {
  EXPECT_THAT(break_with("apart"), Contains(StartsWith("told ")))
      << "this test would not notice an end that nobody hears of";
}

class WholeCyclePowerCutTest : public WholeCycleTest {
 protected:
  void SetUp() override { ASSERT_TRUE(can_trace(folder_.path())); }
};

TEST_F(WholeCyclePowerCutTest, WhatWasSaidIsTrueAfterEveryCut) {
  const Recording recording = record(folder_, "cycle_driver", {"rounds=14"});
  const Damage damage = cut_power<CyclePromises>(recording, trials(600, 40'000), luck_);
  EXPECT_EQ(damage.lost + damage.damaged + damage.unusable, 0) << damage;
  EXPECT_GT(damage.images, 300);
  for (const DiskEvent& event : recording.events)
    if (event.kind == DiskEvent::Kind::Said) promises_.hear(event.bytes);
  for (const char* kind : kKinds) EXPECT_GT(promises_.count(kind), 0u) << kind;
  EXPECT_GT(promises_.pruned(), 0);
  std::cout << recording.events.size() << " events, " << damage << std::endl;
}

// Each kind of promise for itself: none of them may be lost unseen.
TEST_F(WholeCyclePowerCutTest, SynchronousNormalIsCaughtLosingEveryKindOfPromise) {
  const Damage damage = cut_power<CyclePromises>(
      record(folder_, "cycle_driver", {"rounds=14", "durability=normal"}), trials(1'000, 10'000), luck_);
  EXPECT_EQ(damage.damaged, 0) << damage;
  for (const char* kind : kKinds) EXPECT_THAT(damage.broken, Contains(StartsWith(kind)));
  EXPECT_THAT(damage.broken, Contains(StartsWith("booked")));
  EXPECT_THAT(damage.broken, Contains(StartsWith("counted")));
  std::cout << "synchronous=NORMAL, " << damage << std::endl;
}

}  // namespace
}  // namespace davit::faults
