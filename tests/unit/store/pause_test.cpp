// Agents that are paused get no task, and what waits for them says so.
#include "host/store/pauses.h"

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PauseTest : public StoreTest {
 protected:
  Result<> pause(std::string agent, std::optional<WallTime> until = std::nullopt, std::string reason = "") {
    return wait<std::monostate>([&](auto done) {
      store().pause({std::move(agent), {}, until, std::move(reason), "ada"}, done);
    });
  }
  bool resume(std::string agent) {
    return wait<bool>([&](auto done) { store().resume(std::move(agent), done); }).value();
  }
  // A planner's task, begun and put off.
  void put_off(Duration time, std::string reason = "no more today") {
    create();
    const ClaimedTask task = claim_one();
    Finish finish = finish_of(task.fence);
    finish.result.success = false;
    finish.result.failure = FailureClass::PutOff;
    finish.result.error = std::move(reason);
    finish.outcome = "put_off";
    finish.next_state = TaskState::Queued;
    finish.retry_after = time;
    finish.attempt_counts = false;
    finish.hold = {"planner", time};
    EXPECT_EQ(this->finish(finish).value(), TaskState::Queued);
  }
  std::vector<ClaimedTask> claim_both() { return claim(16, {{"planner", 10}, {"coder", 10}}); }
};

TEST_F(PauseTest, APausedAgentsTasksWaitAndSayWhy) {
  const std::string planned = create(), coded = create(new_task("coder"));
  ASSERT_TRUE(pause("planner", clock_.wall() + Duration(5'000), "the model is down").ok());

  const std::vector<ClaimedTask> claimed = claim_both();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].task_id, coded);

  const TaskDetail waiting = task(planned);
  EXPECT_EQ(waiting.task.state, TaskState::Queued);
  EXPECT_EQ(waiting.task.hold_reason, "agent planner is paused: the model is down");
  EXPECT_EQ(waiting.task.resume_at, clock_.wall() + Duration(5'000));
  EXPECT_EQ(store().tasks({.agent = "planner"}).value().items[0].hold_reason, waiting.task.hold_reason);
  EXPECT_EQ(task(coded).task.hold_reason, "");

  const std::vector<Pause> pauses = store().queue().value().pauses;
  ASSERT_THAT(pauses, SizeIs(1));
  EXPECT_EQ(pauses[0].agent, "planner");
  EXPECT_EQ(pauses[0].since, clock_.wall());
  EXPECT_EQ(pauses[0].by, "ada");
}

TEST_F(PauseTest, AnAgentThatSaysSoIsHeldUntilItsTimeAlsoOverARestart) {
  put_off(Duration(5'000));
  const std::string waiting = create(), other = create(new_task("coder"));
  database_.close();
  EXPECT_THAT(claim_both(), ElementsAre(Field(&ClaimedTask::task_id, other)));
  EXPECT_EQ(task(waiting).task.hold_reason, "agent planner is paused: no more today");
  const std::vector<Pause> pauses = store().queue().value().pauses;
  ASSERT_THAT(pauses, SizeIs(1));
  EXPECT_EQ(pauses[0].by, kHeldByItself);
  EXPECT_EQ(pauses[0].until, clock_.wall() + Duration(5'000));
  EXPECT_EQ(store().next_run_at(clock_.wall()).value(), clock_.wall() + Duration(5'000));
  clock_.advance(Duration(5'000));
  EXPECT_THAT(claim_both(), SizeIs(2)) << "that which was put off, and that which waited";
}

TEST_F(PauseTest, WhatSomebodyPausedStaysPausedWhateverTheAgentSays) {
  create();
  const ClaimedTask running = claim_one();
  ASSERT_TRUE(pause("planner", std::nullopt, "we look into it").ok());
  Finish finish = finish_of(running.fence);
  finish.hold = {"planner", Duration(5'000)};
  EXPECT_EQ(this->finish(finish).value(), TaskState::Completed);
  const std::vector<Pause> pauses = store().queue().value().pauses;
  ASSERT_THAT(pauses, SizeIs(1));
  EXPECT_EQ(pauses[0].by, "ada");
  EXPECT_EQ(pauses[0].until, std::nullopt);
}

TEST_F(PauseTest, OfTwoTimesThatAnAgentNamesTheLaterCountsAndSomebodyMayEndIt) {
  create();
  create();
  const std::vector<ClaimedTask> running = claim(16, {{"planner", 10}});
  ASSERT_THAT(running, SizeIs(2));
  const WallTime began = clock_.wall();
  for (const Duration time : {Duration(9'000), Duration(5'000)}) {
    Finish finish = finish_of(running[time == Duration(9'000) ? 0 : 1].fence);
    finish.hold = {"planner", time};
    EXPECT_TRUE(this->finish(finish).ok());
    clock_.advance(Duration(1));
  }
  const std::vector<Pause> pauses = store().queue().value().pauses;
  ASSERT_THAT(pauses, SizeIs(1));
  EXPECT_EQ(pauses[0].until, began + Duration(9'000));
  EXPECT_EQ(pauses[0].since, began);
  create();
  EXPECT_THAT(claim_both(), IsEmpty());
  EXPECT_TRUE(resume("planner"));
  EXPECT_THAT(claim_both(), SizeIs(1));
}

TEST_F(PauseTest, WhatRunsGoesOnAndEnds) {
  const std::string id = create();
  const ClaimedTask running = claim_one();
  ASSERT_TRUE(pause("planner").ok());
  EXPECT_EQ(task(id).task.hold_reason, "");
  EXPECT_THAT(renew({running.fence}).lost, IsEmpty());
  EXPECT_EQ(finish(finish_of(running.fence)).value(), TaskState::Completed);
}

TEST_F(PauseTest, APauseOfAllHoldsEveryAgentAndOutlivesARestart) {
  const std::string id = create();
  ASSERT_TRUE(pause("", std::nullopt, "maintenance").ok());
  database_.close();
  EXPECT_THAT(claim_both(), IsEmpty());
  const std::string later = create(new_task("coder"));
  EXPECT_THAT(claim_both(), IsEmpty());
  EXPECT_EQ(task(id).task.hold_reason, "all agents are paused: maintenance");
  EXPECT_EQ(task(later).task.hold_reason, "all agents are paused: maintenance");
  EXPECT_EQ(task(id).task.resume_at, std::nullopt);

  EXPECT_TRUE(resume(""));
  EXPECT_THAT(claim_both(), SizeIs(2));
}

TEST_F(PauseTest, APauseEndsAtItsTimeWithoutAnybody) {
  const std::string id = create();
  ASSERT_TRUE(pause("planner", clock_.wall() + Duration(5'000)).ok());
  EXPECT_EQ(store().next_run_at(clock_.wall()).value(), clock_.wall() + Duration(5'000));
  clock_.advance(Duration(4'999));
  EXPECT_THAT(claim_both(), IsEmpty());
  clock_.advance(Duration(1));
  EXPECT_EQ(task(id).task.hold_reason, "");
  EXPECT_THAT(store().queue().value().pauses, IsEmpty());
  EXPECT_FALSE(resume("planner"));
  EXPECT_THAT(claim_both(), SizeIs(1));
}

TEST_F(PauseTest, AnAgentsOwnPauseGoesOnWhenThatOfAllEnds) {
  create();
  create(new_task("coder"));
  ASSERT_TRUE(pause("planner").ok());
  ASSERT_TRUE(pause("").ok());
  EXPECT_THAT(claim_both(), IsEmpty());
  EXPECT_TRUE(resume(""));
  EXPECT_FALSE(resume(""));
  EXPECT_THAT(claim_both(), SizeIs(1));
  EXPECT_TRUE(resume("planner"));
  EXPECT_THAT(claim_both(), SizeIs(1));
}

TEST_F(PauseTest, ANewPauseTakesThePlaceOfTheOldOne) {
  create();
  ASSERT_TRUE(pause("planner").ok());
  ASSERT_TRUE(pause("planner", clock_.wall() + Duration(10), "only for a moment").ok());
  ASSERT_THAT(store().queue().value().pauses, SizeIs(1));
  clock_.advance(Duration(10));
  EXPECT_THAT(claim_both(), SizeIs(1));
}

TEST_F(PauseTest, ATimeThatHasPassedIsRefused) {
  create();
  const Result<> refused = pause("planner", clock_.wall());
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("has passed"));
  EXPECT_THAT(claim_both(), SizeIs(1));
}

TEST_F(PauseTest, PausingAndResumingIsTold) {
  std::vector<std::string> told;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes)
      if (change.kind == Change::Kind::HoldChanged) told.push_back(change.agent);
  });
  ASSERT_TRUE(pause("planner").ok());
  EXPECT_TRUE(resume("planner"));
  EXPECT_FALSE(resume("planner"));
  EXPECT_THAT(told, ElementsAre("planner", "planner"));
}

TEST_F(PauseTest, WhatIsRolledBackPausesNobody) {
  store();
  database_.close();
  auto opened = Database::open(database_.path(), Database::Mode::Write, "");
  Database& database = *std::get<0>(opened);
  Pauses pauses(database);
  database.begin();
  pauses.pause({"planner", clock_.wall(), std::nullopt, "", "ada"});
  EXPECT_NE(pauses.of("planner", clock_.wall()), nullptr);
  database.rollback();
  pauses.discard();
  EXPECT_EQ(pauses.of("planner", clock_.wall()), nullptr);
}

}  // namespace
}  // namespace davit::store
