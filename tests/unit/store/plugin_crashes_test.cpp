// Crashes of plugins, quarantine, and the tasks that wait for its end.
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class PluginCrashesTest : public StoreTest {
 protected:
  bool crash(const std::string& subject = "", const std::string& sha256 = "abc", QuarantineRule rule = {}) {
    PluginCrash crash{sha256,       "github", "handle", "r1", subject, "killed by signal 11 (SIGSEGV)",
                      clock_.wall()};
    return wait<bool>([&](auto done) { store().note_crash(crash, rule, done); }).value();
  }
  void clear(const std::string& sha256) {
    EXPECT_TRUE(wait<std::monostate>([&](auto done) { store().clear_crashes({sha256}, done); }).ok());
  }
  void hold(std::set<std::string> agents) {
    EXPECT_TRUE(wait<std::monostate>([&](auto done) { store().hold_agents(std::move(agents), done); }).ok());
  }
  std::vector<Quarantine> quarantines() { return store().quarantines().value(); }
};

TEST_F(PluginCrashesTest, TheThirdCrashWithinTheWindowIsOneTooMany) {
  EXPECT_FALSE(crash());
  EXPECT_FALSE(crash());
  EXPECT_THAT(quarantines(), IsEmpty());
  EXPECT_TRUE(crash());
  ASSERT_THAT(quarantines(), SizeIs(1));
  EXPECT_EQ(quarantines()[0].sha256, "abc");
  EXPECT_EQ(quarantines()[0].plugin, "github");
  EXPECT_THAT(quarantines()[0].reason,
              HasSubstr("crashed 3 times within 10 minutes, last in handle (killed by signal 11 (SIGSEGV))"));
  // It is no news any more, and outlives a restart.
  EXPECT_FALSE(crash());
  database_.close();
  EXPECT_THAT(quarantines(), SizeIs(1));
}

TEST_F(PluginCrashesTest, CrashesThatAreLongAgoDoNotCount) {
  crash();
  crash();
  clock_.advance(Duration{601'000});
  EXPECT_FALSE(crash());
  EXPECT_FALSE(crash());
  EXPECT_TRUE(crash());
}

TEST_F(PluginCrashesTest, OtherBytesAreOthersAndTheSameTaskCountsOnce) {
  EXPECT_FALSE(crash("", "abc"));
  EXPECT_FALSE(crash("", "abc"));
  EXPECT_FALSE(crash("", "def"));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(crash("task 1", "ghi"));
  EXPECT_FALSE(crash("task 2", "ghi"));
  EXPECT_TRUE(crash("task 3", "ghi"));
}

TEST_F(PluginCrashesTest, ARuleOfNoneNeverQuarantines) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(crash("", "abc", {.after = 0}));
  EXPECT_TRUE(crash("", "abc", {.after = 1}));
}

TEST_F(PluginCrashesTest, TheReasonCountsInWords) {
  EXPECT_TRUE(crash("", "abc", {.after = 1}));
  EXPECT_TRUE(crash("", "def", {.after = 1, .window = Duration{60'000}}));
  crash("", "ghi", {.after = 2, .window = Duration{60'000}});
  EXPECT_TRUE(crash("", "ghi", {.after = 2, .window = Duration{60'000}}));
  std::vector<std::string> reasons;
  for (const Quarantine& each : quarantines()) reasons.push_back(each.reason);
  EXPECT_THAT(reasons, UnorderedElementsAre(
                           "its plugin crashed once, in handle (killed by signal 11 (SIGSEGV))",
                           "its plugin crashed once, in handle (killed by signal 11 (SIGSEGV))",
                           "its plugin crashed 2 times within 1 minute, last in handle (killed by signal 11 (SIGSEGV))"));
}

TEST_F(PluginCrashesTest, WhatIsClearedStartsAnew) {
  for (int i = 0; i < 3; ++i) crash();
  clear("abc");
  EXPECT_THAT(quarantines(), IsEmpty());
  EXPECT_FALSE(crash());
}

TEST_F(PluginCrashesTest, TasksOfHeldAgentsAreParkedAndQueuedAgain) {
  const std::string before = create();
  const std::string other = create(new_task("writer"));
  hold({"planner"});
  EXPECT_EQ(task(before).task.state, TaskState::Parked);
  EXPECT_THAT(task(before).task.hold_reason, HasSubstr("quarantine"));
  EXPECT_EQ(task(other).task.state, TaskState::Queued);
  const std::string during = create();
  EXPECT_EQ(task(during).task.state, TaskState::Parked);
  EXPECT_THAT(claim(), IsEmpty());
  auto retried = retry(during);
  ASSERT_FALSE(retried.ok());
  EXPECT_EQ(retried.error().code, ErrorCode::Conflict);
  EXPECT_THAT(retried.error().message, HasSubstr("davit plugins clear agent planner"));
  expect_sound();
  hold({});
  EXPECT_EQ(task(before).task.state, TaskState::Queued);
  EXPECT_EQ(task(before).task.hold_reason, "");
  EXPECT_THAT(claim(), SizeIs(2));
  expect_sound();
}

TEST_F(PluginCrashesTest, ATaskThatRunsIsParkedWhenItWouldBeTriedAgain) {
  create();
  ClaimedTask running = claim_one();
  hold({"planner"});
  EXPECT_EQ(task(running.task_id).task.state, TaskState::Running);
  EXPECT_EQ(finish(finish_of(running.fence, TaskState::Queued)).value(), TaskState::Parked);
  hold({});
  EXPECT_EQ(task(running.task_id).task.state, TaskState::Queued);
}

TEST_F(PluginCrashesTest, WhatAFormerHostParkedIsQueuedAgainWhenItsAgentIsFree) {
  const std::string id = create();
  hold({"planner"});
  database_.close();
  EXPECT_EQ(task(id).task.state, TaskState::Parked);
  hold({});
  EXPECT_EQ(task(id).task.state, TaskState::Queued);
}

TEST_F(PluginCrashesTest, TasksThatWereParkedForOtherReasonsStayWhereTheyAre) {
  create();
  ClaimedTask poison = claim_one();
  EXPECT_EQ(finish(finish_of(poison.fence, TaskState::Parked)).value(), TaskState::Parked);
  hold({});
  EXPECT_EQ(task(poison.task_id).task.state, TaskState::Parked);
}

}  // namespace
}  // namespace davit::store
