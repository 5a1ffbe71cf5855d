// Money is set aside before a session begins and settled when it has ended; no budget is overspent by more
// than one session, whatever ends the host.
#include "host/store/budgets.h"

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kDollar = 1'000'000;

class BudgetsTest : public StoreTest {
 protected:
  void limit(const BudgetLimits& limits) {
    ASSERT_TRUE(wait<std::monostate>([&](auto done) { store().set_budgets(limits, done); }).ok());
  }
  std::string create_for(const std::string& actor_id, std::string agent = "planner",
                         std::string entity = "") {
    NewTask task = new_task(std::move(agent));
    task.entity = std::move(entity);
    return wait<std::string>([&](auto done) {
             store().create_task(std::move(task), "github", Actor{actor_id, "login-" + actor_id, ""}, done);
           })
        .value();
  }
  std::vector<ClaimedTask> claim_all() { return claim(100, {{"planner", 50}, {"coder", 50}}); }
  void report(const ClaimedTask& task, std::int64_t cost) {
    Usage usage;
    usage.cost_micro_usd = cost;
    ASSERT_TRUE(wait<std::monostate>([&](auto done) {
                  store().report({{.fence = task.fence, .usage = usage}}, done);
                }).ok());
  }
  void end(const ClaimedTask& task, std::int64_t cost, bool cost_known = true) {
    Finish finish = finish_of(task.fence, cost_known ? TaskState::Completed : TaskState::Failed);
    if (!cost_known) finish.outcome = "crashed";
    finish.result.usage.cost_micro_usd = cost;
    finish.cost_known = cost_known;
    ASSERT_TRUE(StoreTest::finish(std::move(finish)).ok());
  }
  BudgetLine line(const std::string& scope, const std::string& key = "") {
    const QueueReport report = store().queue().value();
    for (const BudgetLine& each : report.budgets)
      if (each.scope == scope && each.key == key) return each;
    return {};
  }
  void restart() {
    database_.close();
    store();
  }
};

TEST_F(BudgetsTest, WithoutALimitNothingIsSetAsideAndWhatIsSpentIsKnownAllTheSame) {
  create();
  const ClaimedTask task = claim_one();
  EXPECT_EQ(task.budget_micro_usd, std::nullopt);
  end(task, 3 * kDollar);
  BudgetLimits limits;
  limits.day = 5 * kDollar;
  limit(limits);
  EXPECT_EQ(line("day").spent, 3 * kDollar);
  expect_sound();
}

TEST_F(BudgetsTest, ASessionIsNotStartedBeyondTheBudgetOfTheDay) {
  BudgetLimits limits;
  limits.day = 2 * kDollar;
  limit(limits);
  create();
  const ClaimedTask task = claim_one();
  EXPECT_EQ(task.budget_micro_usd, kDollar);
  end(task, 2 * kDollar);

  const std::string waiting = create();
  EXPECT_THAT(claim_all(), IsEmpty());
  const TaskDetail shown = StoreTest::task(waiting);
  EXPECT_EQ(shown.task.state, TaskState::Queued);
  EXPECT_EQ(shown.task.hold_reason, "budgets.daily_usd is spent: $2.00 of $2.00");
  EXPECT_EQ(shown.task.resume_at, next_day(clock_.wall()));
  EXPECT_EQ(store().next_run_at(clock_.wall()).value(), next_day(clock_.wall()));

  clock_.advance(next_day(clock_.wall()) - clock_.wall());
  EXPECT_THAT(claim_all(), SizeIs(1));
}

TEST_F(BudgetsTest, SessionsThatRunCountWithWhatIsSetAsideForThem) {
  BudgetLimits limits;
  limits.day = 3 * kDollar;
  limit(limits);
  for (int i = 0; i < 8; ++i) create();
  const std::vector<ClaimedTask> running = claim_all();
  EXPECT_THAT(running, SizeIs(3));
  EXPECT_EQ(line("day").in_flight, 3 * kDollar);
  EXPECT_THAT(claim_all(), IsEmpty());
  const Page<TaskSummary> queued = store().tasks({.state = TaskState::Queued}).value();
  EXPECT_EQ(queued.items.at(0).hold_reason,
            "budgets.daily_usd is set aside for sessions that run: $0.00 spent and $3.00 set aside of $3.00");
}

TEST_F(BudgetsTest, WhatASessionDidNotUseIsFreeAgainWhenItEnds) {
  BudgetLimits limits;
  limits.day = kDollar;
  limit(limits);
  create();
  create();
  const std::vector<ClaimedTask> first = claim_all();
  ASSERT_THAT(first, SizeIs(1));
  bool told = false;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes) told |= change.kind == Change::Kind::HoldChanged;
  });
  end(first[0], kDollar / 4);
  EXPECT_TRUE(told);
  EXPECT_EQ(line("day").spent, kDollar / 4);
  EXPECT_EQ(line("day").in_flight, 0);
  // The last piece of a budget is given out whole.
  const std::vector<ClaimedTask> second = claim_all();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].budget_micro_usd, 3 * kDollar / 4);
}

TEST_F(BudgetsTest, WhatASessionCostsBeyondItsShareCountsAtOnce) {
  BudgetLimits limits;
  limits.day = 3 * kDollar;
  limit(limits);
  create();
  const ClaimedTask task = claim_one();
  report(task, 5 * kDollar / 2);
  EXPECT_EQ(line("day").in_flight, 5 * kDollar / 2);
  create();
  EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(BudgetsTest, AnAgentsBudgetHoldsItAndNobodyElse) {
  BudgetLimits limits;
  limits.agent_day = kDollar;
  limit(limits);
  create();
  end(claim_one(), kDollar);
  const std::string waiting = create();
  create(new_task("coder"));
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].agent, "coder");
  EXPECT_EQ(StoreTest::task(waiting).task.hold_reason,
            "budgets.per_agent_daily_usd of planner is spent: $1.00 of $1.00");
}

TEST_F(BudgetsTest, AnActorsBudgetHoldsHisTasksAndNobodyElses) {
  BudgetLimits limits;
  limits.actor_day = kDollar;
  limit(limits);
  create_for("4711");
  end(claim_one(), kDollar);
  const std::string his = create_for("4711");
  const std::string hers = create_for("17");
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].task_id, hers);
  const TaskDetail held = StoreTest::task(his);
  EXPECT_EQ(held.task.hold_reason, "budgets.per_actor_daily_usd of github:4711 is spent: $1.00 of $1.00");
  EXPECT_EQ(held.task.resume_at, next_day(clock_.wall()));
  expect_sound();
  clock_.advance(next_day(clock_.wall()) - clock_.wall());
  EXPECT_THAT(claim_all(), SizeIs(1));
  EXPECT_EQ(StoreTest::task(his).task.hold_reason, "");
}

TEST_F(BudgetsTest, AnActorsSpentBudgetDoesNotHoldTheOthersOfALine) {
  BudgetLimits limits;
  limits.actor_day = kDollar;
  limit(limits);
  create_for("4711");
  end(claim_one(), kDollar);
  const std::string his = create_for("4711", "planner", "acme/shop");
  create_for("4711", "planner", "acme/shop");
  const std::string hers = create_for("17", "planner", "acme/shop");
  const std::string others = create_for("18", "coder", "acme/shop");
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].task_id, others) << "it went beside what was held";
  expect_sound();
  end(claimed[0], kDollar / 2);
  const std::vector<ClaimedTask> next = claim_all();
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(next[0].task_id, hers);
  expect_sound();
  // What was held waits for its turn like any other when it is time.
  clock_.advance(next_day(clock_.wall()) - clock_.wall());
  EXPECT_THAT(claim_all(), IsEmpty());
  expect_sound();
  end(next[0], kDollar / 2);
  const std::vector<ClaimedTask> last = claim_all();
  ASSERT_THAT(last, SizeIs(1));
  EXPECT_EQ(last[0].task_id, his);
  expect_sound();
}

TEST_F(BudgetsTest, NorDoesABudgetThatIsSetAsideForAnActorsSessions) {
  BudgetLimits limits;
  limits.actor_day = kDollar;
  limit(limits);
  create_for("4711");
  const ClaimedTask elsewhere = claim_one();
  const std::string his = create_for("4711", "planner", "acme/shop");
  const std::string hers = create_for("17", "planner", "acme/shop");
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].task_id, hers);
  expect_sound();
  end(elsewhere, kDollar / 2);
  EXPECT_THAT(claim_all(), IsEmpty()) << "let go while the line is busy";
  expect_sound();
  end(claimed[0], kDollar / 2);
  const std::vector<ClaimedTask> last = claim_all();
  ASSERT_THAT(last, SizeIs(1));
  EXPECT_EQ(last[0].task_id, his);
  expect_sound();
}

TEST_F(BudgetsTest, WhatFollowsInAChainIsChargedToWhoBeganIt) {
  BudgetLimits limits;
  limits.actor_day = 2 * kDollar;
  limit(limits);
  create_for("4711");
  Finish finish = finish_of(claim_one().fence);
  finish.result.usage.cost_micro_usd = kDollar;
  finish.successor = new_task("coder");
  ASSERT_TRUE(StoreTest::finish(std::move(finish)).ok());
  const std::vector<ClaimedTask> next = claim_all();
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(line("actor", "github:4711").spent, kDollar);
  EXPECT_EQ(line("actor", "github:4711").in_flight, kDollar);
  end(next[0], kDollar);
  EXPECT_EQ(line("actor", "github:4711").spent, 2 * kDollar);
}

TEST_F(BudgetsTest, ATaskThatWaitsForItsActorsSessionGoesOnWhenThatEnds) {
  BudgetLimits limits;
  limits.actor_day = kDollar;
  limit(limits);
  create_for("4711");
  const ClaimedTask first = claim_one();
  const std::string second = create_for("4711");
  EXPECT_THAT(claim_all(), IsEmpty());
  EXPECT_THAT(StoreTest::task(second).task.hold_reason, HasSubstr("set aside for sessions that run"));
  end(first, kDollar / 2);
  const std::vector<ClaimedTask> then = claim_all();
  ASSERT_THAT(then, SizeIs(1));
  EXPECT_EQ(then[0].task_id, second);
}

TEST_F(BudgetsTest, AChainBeyondItsBudgetIsParked) {
  BudgetLimits limits;
  limits.task = 2 * kDollar;
  limit(limits);
  create();
  Finish finish = finish_of(claim_one().fence);
  finish.result.usage.cost_micro_usd = 2 * kDollar;
  finish.successor = new_task("coder");
  ASSERT_TRUE(StoreTest::finish(std::move(finish)).ok());
  EXPECT_THAT(claim_all(), IsEmpty());
  const Page<TaskSummary> parked = store().tasks({.state = TaskState::Parked}).value();
  ASSERT_THAT(parked.items, SizeIs(1));
  EXPECT_EQ(
      parked.items[0].error,
      "budgets.per_task_usd of its chain is spent: $2.00 of $2.00; raise it and retry the task by hand");
  limits.task = 3 * kDollar;
  limit(limits);
  ASSERT_TRUE(retry(parked.items[0].task_id).ok());
  EXPECT_THAT(claim_all(), SizeIs(1));
}

TEST_F(BudgetsTest, ARaisedBudgetLetsWaitingTasksGo) {
  BudgetLimits limits;
  limits.actor_day = kDollar;
  limit(limits);
  create_for("4711");
  end(claim_one(), kDollar);
  create_for("4711");
  EXPECT_THAT(claim_all(), IsEmpty());
  limits.actor_day = 2 * kDollar;
  limit(limits);
  EXPECT_THAT(claim_all(), SizeIs(1));
}

TEST_F(BudgetsTest, ALostSessionCostsWhatWasSetAsideForIt) {
  BudgetLimits limits;
  limits.day = 10 * kDollar;
  limit(limits);
  const std::string id = create();
  const ClaimedTask task = claim_one();
  report(task, kDollar / 10);
  end(task, kDollar / 10, false);
  EXPECT_EQ(line("day").spent, kDollar);
  EXPECT_EQ(line("day").in_flight, 0);
  // What is shown is what was said.
  EXPECT_EQ(StoreTest::task(id).task.total_cost_micro_usd, kDollar / 10);
  expect_sound();
}

TEST_F(BudgetsTest, AfterARestartTheBooksAreWhatTheyWere) {
  BudgetLimits limits;
  limits.day = 10 * kDollar;
  limits.agent_day = 10 * kDollar;
  limits.actor_day = 10 * kDollar;
  limit(limits);
  create_for("4711");
  end(claim_one(), 2 * kDollar);
  create_for("4711");
  claim_one();  // and the host ends under it
  restart();
  limit(limits);
  for (const BudgetLine& each : {line("day"), line("agent", "planner"), line("actor", "github:4711")}) {
    EXPECT_EQ(each.spent, 3 * kDollar) << each.scope;
    EXPECT_EQ(each.in_flight, 0) << each.scope;
  }
  expect_sound();
}

TEST_F(BudgetsTest, ADayIsThatInWhichTheSessionBegan) {
  BudgetLimits limits;
  limits.day = 2 * kDollar;
  limit(limits);
  create();
  const ClaimedTask task = claim_one();
  clock_.advance(next_day(clock_.wall()) - clock_.wall());
  EXPECT_EQ(line("day").in_flight, 0);
  end(task, 2 * kDollar);
  EXPECT_EQ(line("day").spent, 0);
  create();
  EXPECT_THAT(claim_all(), SizeIs(1));
}

TEST_F(BudgetsTest, TheBooksOfADayThatCostMoreThanTheOneBeforeAreSound) {
  BudgetLimits limits;
  limits.day = 10 * kDollar;
  limit(limits);
  for (const std::int64_t cost : {kDollar, 3 * kDollar}) {
    create();
    end(claim_one(), cost);
    clock_.advance(next_day(clock_.wall()) - clock_.wall());
  }
  expect_sound();
}

TEST_F(BudgetsTest, AnAgentThatCostsNothingIsNotHeldByASpentBudget) {
  BudgetLimits limits;
  limits.day = kDollar;
  limits.session_of_agent["coder"] = 0;
  limit(limits);
  create();
  end(claim_one(), kDollar);
  create(new_task("coder"));
  create();
  const std::vector<ClaimedTask> claimed = claim_all();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].agent, "coder");
  EXPECT_EQ(claimed[0].budget_micro_usd, 0);
}

TEST_F(BudgetsTest, ABudgetOfNothingLetsNothingBegin) {
  BudgetLimits limits;
  limits.day = 0;
  limit(limits);
  create();
  EXPECT_THAT(claim_all(), IsEmpty());
}

// What a claim that looks at what was spent only would do: the known-bad way that reservations are there
// against.
TEST_F(BudgetsTest, WithoutReservationsEightAgentsOverspend) {
  BudgetLimits limits;
  limits.day = 2 * kDollar;
  limits.session = 1;  // as good as none
  limit(limits);
  for (int i = 0; i < 8; ++i) create();
  const std::vector<ClaimedTask> careless = claim_all();
  ASSERT_THAT(careless, SizeIs(8));
  for (const ClaimedTask& task : careless) end(task, kDollar);
  EXPECT_EQ(line("day").spent, 8 * kDollar);
}

TEST_F(BudgetsTest, OverspendingIsBoundedByWhatOneSessionCostsBeyondItsShare) {
  BudgetLimits limits;
  limits.day = 5 * kDollar;
  limit(limits);
  for (int i = 0; i < 50; ++i) create();
  std::int64_t most = 0;
  for (int round = 0; round < 20; ++round) {
    for (const ClaimedTask& task : claim_all()) end(task, kDollar);
    most = std::max(most, line("day").spent);
  }
  EXPECT_EQ(most, 5 * kDollar);
  expect_sound();
}

TEST_F(BudgetsTest, WhatRunsStaysSetAsideInTheDayThatSomebodySetsTheClockTo) {
  BudgetLimits limits;
  limits.day = kDollar;
  limit(limits);
  for (int step : {2, -5, 1}) {
    SCOPED_TRACE(step);
    create();
    const std::vector<ClaimedTask> running = claim_all();
    ASSERT_THAT(running, SizeIs(1));
    clock_.jump(std::chrono::days(step));
    create();
    EXPECT_THAT(claim_all(), IsEmpty());
    EXPECT_EQ(line("day").in_flight, kDollar);
    end(running[0], kDollar);
    EXPECT_EQ(line("day").spent, kDollar);
    EXPECT_THAT(claim_all(), IsEmpty()) << "also of a day before one that was";
    ASSERT_TRUE(cancel(store().tasks({.state = TaskState::Queued}).value().items.at(0).task_id).ok());
    expect_sound();
    clock_.advance(next_day(clock_.wall()) - clock_.wall());
  }
}

}  // namespace
}  // namespace davit::store
