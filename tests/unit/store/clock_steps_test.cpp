// Conformance: what a store does when somebody sets the clock. Times that somebody chose are times on the
// wall; everything else is a delay.
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kDay{86'400'000};
constexpr Duration kHour{3'600'000};

class ClockStepsTest : public StoreTest {
 protected:
  std::string waits(Duration back_off) {
    const std::string id = create();
    Finish failed = finish_of(claim_one().fence, TaskState::Queued);
    failed.retry_after = back_off;
    EXPECT_EQ(finish(failed).value(), TaskState::Queued);
    return id;
  }
  NewTask titled(std::string title) {
    NewTask task = new_task();
    task.title = std::move(title);
    return task;
  }
  std::vector<std::string> claim_titles() {
    std::vector<std::string> found;
    for (const ClaimedTask& claimed : claim()) found.push_back(claimed.title);
    return found;
  }
  void TearDown() override { expect_sound(); }
};

TEST_F(ClockStepsTest, ARetryWaitsItsTimeWhateverSomebodySetsTheClockTo) {
  for (Duration step : {kDay, -kDay, Duration(6'000), Duration(-6'000)}) {
    SCOPED_TRACE(step.count());
    const std::string id = waits(Duration(10'000));
    clock_.jump(step);
    clock_.advance(Duration(9'999));
    EXPECT_THAT(claim(), IsEmpty());
    clock_.advance(Duration(1));
    EXPECT_EQ(claim_one().task_id, id);
  }
}

TEST_F(ClockStepsTest, AStepIsTakenOnceAlsoWhenItsTransactionIsRolledBack) {
  NewTask twice = new_task("other");
  twice.id = new_id();
  ASSERT_EQ(create(twice), twice.id);
  const std::string id = waits(Duration(10'000));
  clock_.jump(-kDay);
  EXPECT_EQ(wait<std::string>([&](auto done) { store().create_task(twice, "api", std::nullopt, done); })
                .error()
                .code,
            ErrorCode::Conflict);
  clock_.advance(Duration(9'999));
  EXPECT_THAT(claim(), IsEmpty());
  clock_.advance(Duration(1));
  EXPECT_EQ(claim_one().task_id, id);
}

TEST_F(ClockStepsTest, AStartTimeThatAPersonChoseFollowsTheWallClock) {
  NewTask task = titled("tomorrow");
  task.run_at = clock_.wall() + kDay;
  create(task);
  task.title = "the day after";
  task.run_at = clock_.wall() + 2 * kDay;
  create(task);
  clock_.jump(kDay);
  EXPECT_THAT(claim_titles(), ElementsAre("tomorrow"));
  clock_.jump(-kDay);
  clock_.advance(kDay);
  EXPECT_THAT(claim_titles(), IsEmpty());
  clock_.advance(kDay);
  EXPECT_THAT(claim_titles(), ElementsAre("the day after"));
}

TEST_F(ClockStepsTest, WhatIsDueStaysDueInItsOrderWhenTheClockIsSetBack) {
  NewTask of_entity = titled("first");
  of_entity.entity = "github:o/n#1";
  create(of_entity);
  clock_.advance(Duration(10));
  create(titled("second"));
  clock_.advance(Duration(10));
  of_entity.title = "behind the first";
  create(of_entity);
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({"executor"}, done); }).ok());
  create(new_task("executor"));

  clock_.jump(-kDay);
  create(titled("third"));
  const std::vector<ClaimedTask> claimed = claim();
  ASSERT_THAT(claimed, SizeIs(3));
  EXPECT_EQ(claimed[0].title, "first");
  EXPECT_EQ(claimed[1].title, "second");
  EXPECT_EQ(claimed[2].title, "third");
  ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  EXPECT_THAT(claim_titles(), ElementsAre("behind the first"));
  ASSERT_TRUE(wait([&](auto done) { store().hold_agents({}, done); }).ok());
  EXPECT_THAT(claim(1, {{"executor", 1}}), SizeIs(1)) << "what was held back is due as well";
}

TEST_F(ClockStepsTest, ADeferredDeliveryIsTriedAgainThoughTheClockWasSetBack) {
  for (Duration step : {-kDay, kDay}) {
    SCOPED_TRACE(step.count());
    NewDelivery deferred = new_delivery("deferred " + std::to_string(step.count()), 0);
    deferred.verdict = Verdict::Deferred;
    deferred.due_at = clock_.wall() + Duration(10'000);
    const std::string id = accept(deferred)->delivery_id;
    clock_.jump(step);
    EXPECT_EQ(store().next_deferred_at().value(), clock_.wall() + Duration(10'000)) << "nothing written yet";
    EXPECT_THAT(store().due_deferred(10).value(), IsEmpty());
    clock_.advance(Duration(10'000));
    EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
    ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "1", done); }).ok());
    EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1)) << "and after a write";
    EXPECT_EQ(store().next_deferred_at().value(), clock_.wall());
    NewDelivery settled = new_delivery("", 0);
    settled.id = id;
    ASSERT_TRUE(wait<Accepted>([&](auto done) { store().settle_deferred(settled, done); }).ok());
  }
}

TEST_F(ClockStepsTest, AnExecutionTakesAsLongAsItRunsWhateverSomebodySetsTheClockTo) {
  Duration worked(0);
  for (Duration step : {-kHour, 2 * kHour, -3 * kDay, 3 * kDay, Duration(-6'000), Duration(6'000)}) {
    SCOPED_TRACE(step.count());
    const std::string id = create();
    const ClaimedTask claimed = claim_one();
    clock_.advance(Duration(3'000));
    clock_.jump(step);
    const WallTime began = clock_.wall() - Duration(3'000);
    EXPECT_EQ(task(id).executions.front().started_at, began) << "nothing written yet";
    ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "1", done); }).ok());
    EXPECT_EQ(task(id).executions.front().started_at, began) << "and after a write";
    clock_.advance(Duration(1'000));
    ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
    const AgentExecution ended = task(id).executions.front();
    EXPECT_EQ(ended.started_at, began) << "once";
    EXPECT_EQ(*ended.completed_at - ended.started_at, Duration(4'000));
    worked += Duration(4'000);
    const AgentStats stats = store().agent_stats("planner").value().front();
    EXPECT_EQ(stats.sums.worked, worked);
    EXPECT_EQ(stats.p95, Duration(4'000));
    expect_sound();
  }
}

TEST_F(ClockStepsTest, WhatEndsInTheTransactionThatSeesTheStepIsBookedRight) {
  create();
  const ClaimedTask claimed = claim_one();
  clock_.advance(Duration(3'000));
  clock_.jump(2 * kHour);
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_EQ(store().agent_stats("planner").value().front().sums.worked, Duration(3'000));
}

TEST_F(ClockStepsTest, WhoFollowsWhatRunsIsToldThatItBeganAtAnotherTime) {
  const std::string id = create();
  const std::string session = claim_one().session_id;
  std::vector<std::string> told;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes)
      if (change.kind == Change::Kind::ExecutionChanged) told.push_back(change.id + " " + change.session);
  });
  for (Duration step : {Duration(0), kHour, Duration(0)}) {
    clock_.jump(step);
    ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "1", done); }).ok());
  }
  store().on_change({});
  EXPECT_THAT(told, ElementsAre(id + " " + session));
}

TEST_F(ClockStepsTest, WhatHasEndedKeepsItsTimes) {
  const std::string id = create();
  const ClaimedTask claimed = claim_one();
  clock_.advance(Duration(3'000));
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  const WallTime began = task(id).executions.front().started_at;
  clock_.jump(kDay);
  ASSERT_TRUE(wait([&](auto done) { store().set_setting("x", "1", done); }).ok());
  EXPECT_EQ(task(id).executions.front().started_at, began);
}

TEST_F(ClockStepsTest, OverARestartNothingThatRanHasBegunLaterThanItWasLost) {
  const std::string id = create();
  claim_one();
  clock_.advance(Duration(3'000));
  database_.close();
  clock_.jump(-kDay);
  database_.open();
  const AgentExecution lost = task(id).executions.front();
  EXPECT_EQ(lost.outcome, "lost");
  EXPECT_EQ(lost.started_at, *lost.completed_at);
}

TEST_F(ClockStepsTest, OverARestartNothingWaitsLongerThanItWouldHaveFromItsBeginning) {
  const std::string id = waits(Duration(10'000));
  NewTask chosen = titled("chosen");
  chosen.run_at = clock_.wall() + kHour;
  create(chosen);
  create(titled("due"));
  NewDelivery deferred = new_delivery("deferred", 0);
  deferred.verdict = Verdict::Deferred;
  deferred.due_at = clock_.wall() + Duration(10'000);
  ASSERT_TRUE(accept(deferred).ok());

  database_.close();
  clock_.jump(-kDay);
  EXPECT_THAT(claim_titles(), ElementsAre("due"));
  EXPECT_THAT(store().due_deferred(10).value(), SizeIs(1));
  clock_.advance(Duration(9'999));
  EXPECT_THAT(claim_titles(), IsEmpty());
  clock_.advance(Duration(1));
  EXPECT_EQ(claim_one().task_id, id);
  clock_.advance(kDay);
  EXPECT_THAT(claim_titles(), IsEmpty()) << "the time on the wall that somebody chose has not come";
  clock_.advance(kHour);
  EXPECT_THAT(claim_titles(), ElementsAre("chosen"));
}

}  // namespace
}  // namespace davit::store
