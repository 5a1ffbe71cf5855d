// Conformance: what is booked of executions, what outlives them, and the questions that are answered from it.
#include "host/store/day_book.h"

#include <map>
#include <thread>

#include "host/store/statement.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr Duration kDay{86'400'000};

Usage usage_of(std::string model, std::int64_t cost, std::int64_t tokens = 0) {
  Usage usage;
  usage.model = std::move(model);
  usage.cost_micro_usd = cost;
  usage.input_tokens = tokens;
  return usage;
}

class DayBookTest : public StoreTest {
 protected:
  // Runs the oldest task of the agent to its end.
  ClaimedTask run(const std::string& agent, Usage usage, TaskState to = TaskState::Completed,
                  Duration took = Duration(1'000)) {
    std::vector<ClaimedTask> claimed = claim(1, {{agent, 1}});
    EXPECT_THAT(claimed, SizeIs(1));
    clock_.advance(took);
    Finish done = finish_of(claimed.at(0).fence, to);
    done.result.usage = std::move(usage);
    EXPECT_TRUE(finish(done).ok());
    return claimed[0];
  }
  std::string make(std::string agent, std::string type, std::string source = "api") {
    NewTask task = new_task(std::move(agent));
    task.task_type = std::move(type);
    return wait<std::string>([&](auto done) {
             store().create_task(std::move(task), std::move(source), std::nullopt, done);
           })
        .value();
  }
  CostQuery all_days(CostGroup by) { return {by, "", clock_.wall() - 30 * kDay, clock_.wall() + kDay}; }
  std::vector<CostLine> lines(const CostQuery& query) { return store().costs(query).value(); }
  std::map<std::string, std::int64_t> costs(CostQuery query) {
    std::map<std::string, std::int64_t> by_group;
    for (const CostLine& line : lines(query)) by_group[line.group] = line.sums.usage.cost_micro_usd;
    return by_group;
  }
  std::map<std::string, std::int64_t> costs(CostGroup by) { return costs(all_days(by)); }
  // In the database, while the store is closed.
  void execute(const char* sql) {
    database_.close();
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute(sql);
    ASSERT_TRUE(std::get<0>(opened)->check().ok());
  }
  template <typename Condition>
  bool comes(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  void TearDown() override { expect_sound(); }
};

TEST_F(DayBookTest, TheDayBookSaysWhatTheExecutionsSay) {
  const auto sums = [&] {
    const ExecutionSums all = store().agent_stats("planner").value().at(0).sums;
    return std::tuple(all.executions, all.worked.count(), all.usage.cost_micro_usd, all.usage.total_tokens());
  };
  for (int i = 0; i < 3; ++i) make("planner", "fix");
  run("planner", usage_of("big", 300, 10));
  run("planner", usage_of("big", 50, 5), TaskState::Queued);
  clock_.advance(kDay);
  run("planner", usage_of("small", 7, 1), TaskState::Failed);
  EXPECT_EQ(sums(), std::tuple(3, 3'000, 357, 16));
  EXPECT_THAT(store().agent_stats("planner")->at(0).outcomes,
              ElementsAre(Pair("completed", 1), Pair("failed", 2)));

  run("planner", usage_of("small", 0));
  clock_.advance(8 * kDay);
  store().set_retention({.keep = kDay});
  EXPECT_TRUE(comes([&] { return store().tasks({})->items.empty(); }));
  EXPECT_EQ(sums(), std::tuple(4, 4'000, 357, 16)) << "also when they were pruned";
  database_.open();
  EXPECT_EQ(sums(), std::tuple(4, 4'000, 357, 16)) << "and after a restart";
}

TEST_F(DayBookTest, WhatALostExecutionHadReportedIsBooked) {
  const auto lose = [&] {
    make("planner", "fix");
    const ClaimedTask claimed = claim_one();
    LiveReport report;
    report.fence = claimed.fence;
    report.usage = usage_of("big", 500, 20);
    ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  };
  std::vector<EndedExecution> told;
  store().on_execution_end([&](const EndedExecution& ended) { told.push_back(ended); });
  lose();
  clock_.advance(2 * kLease);
  EXPECT_EQ(reap(), 1);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].outcome, "lost");
  EXPECT_EQ(told[0].usage.cost_micro_usd, 500);
  ASSERT_EQ(cancel(store().tasks({})->items.at(0).task_id).value(), TaskState::Cancelled);

  lose();
  database_.open();  // as of a host that died: its task was running
  const AgentStats stats = store().agent_stats("planner").value().at(0);
  EXPECT_THAT(stats.outcomes, ElementsAre(Pair("lost", 2)));
  EXPECT_EQ(stats.sums.usage.cost_micro_usd, 1'000);
  EXPECT_EQ(stats.sums.usage.input_tokens, 40);
}

// What its runner wrote down, and a host that was killed did not come to store.
TEST_F(DayBookTest, WhatAnExecutionToldTheLastHostIsBookedOnceWhenItIsLost) {
  make("planner", "fix");
  const ClaimedTask lost = claim_one();
  LiveReport report;
  report.fence = lost.fence;
  report.usage = usage_of("big", 300, 20);
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  make("planner", "fix");
  const ClaimedTask ended = claim_one();
  Finish end = finish_of(ended.fence);
  end.result.usage = usage_of("big", 40);
  ASSERT_TRUE(finish(end).ok());

  Usage told = usage_of("", 500, 30);
  database_.options.told = {{lost.session_id, told}, {ended.session_id, told}, {new_id(), told}, {"none", told}};
  database_.open();
  const auto booked = [&] { return store().agent_stats("planner").value().at(0).sums.usage; };
  EXPECT_EQ(booked().cost_micro_usd, 540);
  EXPECT_EQ(booked().input_tokens, 30);
  database_.open();
  EXPECT_EQ(booked().cost_micro_usd, 540) << "the files may still be there at a second start";
  const AgentExecution execution = store().task(lost.task_id).value().executions.at(0);
  EXPECT_EQ(execution.outcome, "lost");
  EXPECT_EQ(execution.usage.cost_micro_usd, 500);
}

TEST_F(DayBookTest, UsageThatWasReportedIsBookedThoughTheEndSaysLess) {
  make("planner", "fix");
  const ClaimedTask claimed = claim_one();
  LiveReport report;
  report.fence = claimed.fence;
  report.usage = usage_of("big", 500);
  ASSERT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(costs(CostGroup::Model), ElementsAre(Pair("big", 500)));
}

TEST_F(DayBookTest, AnEstimateIsBookedUnlessTheEndKnowsBetter) {
  const auto run_estimated = [&](std::int64_t known) {
    const std::string id = make("planner", "fix");
    const ClaimedTask claimed = claim_one();
    LiveReport report{.fence = claimed.fence, .usage = usage_of("big", 500)};
    report.usage->cost_is_estimate = true;
    EXPECT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
    Finish end = finish_of(claimed.fence);
    end.result.usage.cost_micro_usd = known;
    EXPECT_TRUE(finish(std::move(end)).ok());
    return task(id).executions.at(0).usage;
  };
  const Usage known = run_estimated(300);
  EXPECT_EQ(known.cost_micro_usd, 300);
  EXPECT_FALSE(known.cost_is_estimate);
  EXPECT_THAT(costs(CostGroup::Agent), ElementsAre(Pair("planner", 300)));
  const Usage silent = run_estimated(0);
  EXPECT_EQ(silent.cost_micro_usd, 500);
  EXPECT_TRUE(silent.cost_is_estimate);
  const Usage more = run_estimated(700);
  EXPECT_EQ(more.cost_micro_usd, 700);
  EXPECT_FALSE(more.cost_is_estimate);
  EXPECT_THAT(costs(CostGroup::Agent), ElementsAre(Pair("planner", 1'500)));
  expect_sound();
}

TEST_F(DayBookTest, CostsAreBrokenDownByEachDimensionAndAddUp) {
  make("planner", "fix");
  make("planner", "plan", "jira");
  make("executor", "fix");
  Usage mixed = usage_of("big", 1'000);
  mixed.models["small"].cost_micro_usd = 400;
  run("planner", mixed);
  run("planner", usage_of("small", 30));
  clock_.advance(kDay);
  run("executor", usage_of("", 5));

  EXPECT_THAT(costs(CostGroup::Agent), ElementsAre(Pair("executor", 5), Pair("planner", 1'030)));
  EXPECT_THAT(costs(CostGroup::TaskType), ElementsAre(Pair("fix", 1'005), Pair("plan", 30)));
  EXPECT_THAT(costs(CostGroup::Source), ElementsAre(Pair("api", 1'005), Pair("jira", 30)));
  EXPECT_THAT(costs(CostGroup::Model), ElementsAre(Pair("", 5), Pair("big", 600), Pair("small", 430)));
  EXPECT_THAT(costs(CostGroup::Day), ElementsAre(Pair("2027-01-15", 1'030), Pair("2027-01-16", 5)));
  const std::vector<CostLine> dearest = lines(all_days(CostGroup::Agent));
  EXPECT_EQ(dearest.at(0).group, "planner");
  EXPECT_EQ(dearest[0].sums.executions, 2);

  CostQuery query = all_days(CostGroup::Day);
  query.agent = "planner";
  EXPECT_THAT(costs(query), ElementsAre(Pair("2027-01-15", 1'030)));
  query.agent.clear();
  query.start = parse_iso8601("2027-01-16T23:00:00Z").value();
  EXPECT_THAT(costs(query), ElementsAre(Pair("2027-01-16", 5))) << "whole days";
  query.end = query.start;
  EXPECT_THAT(costs(query), IsEmpty());
}

TEST_F(DayBookTest, AModelsShareOfAnExecutionIsItsOwn) {
  make("planner", "fix");
  Usage usage = usage_of("big", 1'000, 100);
  usage.models["big"] = {.input_tokens = 10, .cost_micro_usd = 500};
  usage.models["small"] = {.input_tokens = 30, .cost_micro_usd = 300};
  usage.models["vast"] = {.cost_micro_usd = 9'999};  // more than there is
  run("planner", usage);
  std::map<std::string, ExecutionSums> by_model;
  for (const CostLine& line : lines(all_days(CostGroup::Model))) by_model[line.group] = line.sums;
  EXPECT_THAT(by_model, SizeIs(3));
  EXPECT_EQ(by_model["small"].usage.cost_micro_usd, 300);
  EXPECT_EQ(by_model["small"].usage.input_tokens, 30);
  EXPECT_EQ(by_model["vast"].usage.cost_micro_usd, 700) << "no more than is left";
  EXPECT_EQ(by_model["big"].usage.cost_micro_usd, 0);
  EXPECT_EQ(by_model["big"].usage.input_tokens, 70) << "and what nobody accounts for";
  EXPECT_EQ(by_model["big"].executions, 1) << "an execution is one of its main model";
  EXPECT_EQ(by_model["small"].executions + by_model["vast"].executions, 0);
}

TEST_F(DayBookTest, AChainHasTheSourceOfItsFirstTask) {
  make("planner", "fix", "github");
  Finish done = finish_of(claim_one().fence);
  done.successor = new_task("executor");
  done.result.usage = usage_of("m", 1);
  ASSERT_TRUE(finish(done).ok());
  run("executor", usage_of("m", 10));
  EXPECT_THAT(costs(CostGroup::Source), ElementsAre(Pair("github", 11)));
}

TEST_F(DayBookTest, TaskTypesWithoutEndAreBookedAsOther) {
  const int many = static_cast<int>(DayBook::kMostRowsADay) + 50;
  for (int i = 0; i < many; ++i) {
    NewTask task = new_task();
    task.task_type = "type " + std::to_string(i);
    store().create_task(std::move(task), "api", std::nullopt, nullptr);
  }
  for (;;) {
    const std::vector<ClaimedTask> claimed = claim(250, {{"planner", 250}});
    if (claimed.empty()) break;
    for (const ClaimedTask& task : claimed) store().finish(finish_of(task.fence), nullptr);
  }
  const std::vector<CostLine> types = lines(all_days(CostGroup::TaskType));
  EXPECT_EQ(types.size(), DayBook::kMostRowsADay + 1);
  std::int64_t executions = 0;
  for (const CostLine& line : types) executions += line.sums.executions;
  EXPECT_EQ(executions, many);
}

TEST_F(DayBookTest, WhatARolledBackTransactionEndedIsBookedOnce) {
  make("planner", "fix");
  make("planner", "fix");
  execute(
      "CREATE TRIGGER no BEFORE INSERT ON execution_result WHEN new.output = '\"no\"' BEGIN SELECT "
      "RAISE(ABORT, "
      "'no'); END");
  const std::vector<ClaimedTask> claimed = claim(2);
  ASSERT_THAT(claimed, SizeIs(2));
  Finish good = finish_of(claimed[0].fence), bad = finish_of(claimed[1].fence);
  bad.result.output = "\"no\"";  // the batch is rolled back and run again, one by one
  const Result<TaskState> refused = wait<TaskState>([&](auto done) {
    store().finish(good, nullptr);
    store().finish(std::move(bad), done);
  });
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(store().agent_stats("planner")->at(0).outcomes, ElementsAre(Pair("completed", 1)));
}

// --- what is asked of the newest tasks

TEST_F(DayBookTest, AnAgentIsJudgedByItsNewestHundredTasksAndTimedByTwoHundred) {
  for (int i = 0; i < 250; ++i) {
    make("planner", "fix");
    const bool good = i >= 200 || i % 2 == 0;
    run("planner", {}, good ? TaskState::Completed : TaskState::Failed, Duration(i));
  }
  make("planner", "fix");  // waits
  const AgentStats stats = store().agent_stats("planner").value().at(0);
  EXPECT_EQ(stats.settled, 100);
  EXPECT_EQ(stats.succeeded, 75);
  EXPECT_EQ(stats.timed, 200);
  EXPECT_EQ(stats.p50.count(), 149);
  EXPECT_EQ(stats.p95.count(), 239);
  EXPECT_THAT(store().agent_stats("nobody").value(), IsEmpty());
  EXPECT_THAT(store().agent_stats("").value(), SizeIs(1));

  const History history = store().history().value();
  const std::vector<History::Outcome>& outcomes = history.outcomes.at("planner");
  EXPECT_THAT(outcomes, SizeIs(100));
  EXPECT_TRUE(outcomes[0].good);
  EXPECT_FALSE(outcomes[1].good);
  EXPECT_TRUE(outcomes[99].good);
}

TEST_F(DayBookTest, TheNewestTasksAreThoseThatEndedLast) {
  make("planner", "fix");
  make("planner", "fix");
  const ClaimedTask slow = claim_one(), again = claim_one();
  ASSERT_TRUE(finish(finish_of(again.fence, TaskState::Failed)).ok());
  for (int i = 0; i < 150; ++i) {
    make("planner", "fix");
    run("planner", {}, TaskState::Completed, Duration(1));
  }
  clock_.advance(Duration(1));
  ASSERT_TRUE(finish(finish_of(slow.fence, TaskState::Failed)).ok());
  ASSERT_TRUE(retry(again.task_id).ok());
  clock_.advance(Duration(1));
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  const History history = store().history().value();
  const std::vector<History::Outcome>& outcomes = history.outcomes.at("planner");
  ASSERT_THAT(outcomes, SizeIs(100));
  EXPECT_EQ(outcomes[98].task, slow.fence.task_row);
  EXPECT_EQ(outcomes[99].task, again.fence.task_row) << "once, with how it ended last";
  int good = 0;
  for (const History::Outcome& outcome : outcomes) good += outcome.good ? 1 : 0;
  const AgentStats stats = store().agent_stats("planner").value().at(0);
  EXPECT_EQ(stats.settled, 100);
  EXPECT_EQ(stats.succeeded, good) << "whoever asks is told the same";
  EXPECT_EQ(good, 98);
}

TEST_F(DayBookTest, TheHistoryTellsTaskTypesInTheOrderInWhichTheyCameUp) {
  std::vector<std::string> came;
  for (int i = 0; i < 130; ++i) {
    came.push_back("type-" + std::to_string(i * 37 % 130));
    make("planner", came.back());
    run("planner", {}, TaskState::Completed, Duration(1));
  }
  // The commonest are those that came last.
  for (int i = 120; i < 130; ++i) {
    make("planner", came[static_cast<std::size_t>(i)]);
    run("planner", {}, TaskState::Completed, Duration(1));
  }
  std::vector<std::string> told;
  const History history = store().history().value();
  for (const History::Executions& each : history.executions) told.push_back(each.task_type);
  EXPECT_EQ(told, came);
}

TEST_F(DayBookTest, TheHistoryIsWhatCountersNeedToGoOn) {
  make("planner", "fix");
  make("planner", "plan");
  make("planner", "plan");
  Usage mixed = usage_of("big", 1'000, 7);
  mixed.models["small"].cost_micro_usd = 400;
  run("planner", mixed);
  run("planner", usage_of("", 5));
  run("planner", {});
  const History history = store().history().value();
  ASSERT_THAT(history.executions, SizeIs(2));
  EXPECT_EQ(history.executions[1].task_type, "plan");
  EXPECT_EQ(history.executions[1].count, 2);
  EXPECT_EQ(history.executions[0].outcome, "completed");
  std::map<std::string, Usage> by_model;
  for (const History::Spent& spent : history.spent) by_model[spent.usage.model] = spent.usage;
  EXPECT_THAT(by_model, SizeIs(3));
  EXPECT_EQ(by_model["big"].input_tokens + by_model["small"].input_tokens + by_model[""].input_tokens, 7);
  EXPECT_EQ(by_model["big"].cost_micro_usd, 600);
  EXPECT_EQ(by_model["small"].cost_micro_usd, 400);
  EXPECT_EQ(by_model[""].cost_micro_usd, 5);
}

TEST_F(DayBookTest, ChainsAreCountedByTheirAgentsInOrder) {
  // planner → executor → review, twice; once the last one fails; a planner alone; one that goes on.
  for (int i = 0; i < 4; ++i) make("planner", "fix");
  for (int i = 0; i < 3; ++i) {
    Finish planned = finish_of(claim(1, {{"planner", 1}}).at(0).fence);
    planned.successor = new_task("executor");
    planned.result.usage = usage_of("m", 100);
    ASSERT_TRUE(finish(planned).ok());
    clock_.advance(Duration(2'000));
    const std::vector<ClaimedTask> executor = claim(1, {{"executor", 1}});
    if (i == 2) continue;
    Finish executed = finish_of(executor.at(0).fence);
    executed.successor = new_task("review");
    executed.result.usage = usage_of("m", 20);
    ASSERT_TRUE(finish(executed).ok());
    run("review", usage_of("m", 3), i == 0 ? TaskState::Completed : TaskState::Failed);
  }
  run("planner", usage_of("m", 7));

  const std::vector<ChainPattern> patterns =
      store().chain_patterns({"", WallTime{}, clock_.wall() + kDay}).value();
  ASSERT_THAT(patterns, SizeIs(2));
  EXPECT_THAT(patterns[0].agents, ElementsAre("planner", "executor", "review"));
  EXPECT_EQ(patterns[0].count, 2);
  EXPECT_EQ(patterns[0].succeeded, 1);
  EXPECT_EQ(patterns[0].cost_micro_usd, 246);
  EXPECT_EQ(patterns[0].duration.count(), 3'000 + 6'000) << "from the first one's creation";
  EXPECT_THAT(patterns[1].agents, ElementsAre("planner"));
  EXPECT_EQ(patterns[1].cost_micro_usd, 7);
}

TEST_F(DayBookTest, TheOverviewIsOfTheLastThirtyDays) {
  make("planner", "fix");
  run("planner", usage_of("m", 1'000'000));
  clock_.advance(31 * kDay);
  for (int i = 0; i < 4; ++i) make("planner", "fix");
  run("planner", usage_of("m", 10), TaskState::Completed, Duration(4'000));
  run("planner", usage_of("m", 20), TaskState::Completed, Duration(6'000));
  run("planner", usage_of("m", 30), TaskState::Failed);
  const Overview overview = store().overview().value();
  EXPECT_EQ(overview.tasks, 4);
  EXPECT_EQ(overview.completed, 2);
  EXPECT_EQ(overview.failed, 1);
  EXPECT_EQ(overview.sums.executions, 3);
  EXPECT_EQ(overview.sums.usage.cost_micro_usd, 60);
  EXPECT_EQ(overview.completed_executions, 2);
  EXPECT_EQ(overview.completed_worked.count(), 10'000);
}

TEST_F(DayBookTest, WhatThePrunedTasksWereStaysInTheOverview) {
  for (int i = 0; i < 6; ++i) make("planner", "fix");
  run("planner", usage_of("m", 10));
  run("planner", usage_of("m", 20), TaskState::Failed);
  clock_.advance(2 * kDay);
  run("planner", usage_of("m", 30), TaskState::Failed);
  const std::string cancelled = store().tasks({.state = {TaskState::Queued}}).value().items.at(0).task_id;
  ASSERT_TRUE(cancel(cancelled).ok());
  const auto text = [&] {
    const Overview all = store().overview().value();
    return std::to_string(all.tasks) + " " + std::to_string(all.completed) + " " + std::to_string(all.failed) + " " +
           std::to_string(all.sums.executions);
  };
  const auto kept = [&] { return store().tasks({}).value().items.size(); };
  EXPECT_EQ(text(), "6 1 2 3");
  for (const std::size_t most : {3, 1}) {
    store().set_retention({.max_tasks = static_cast<std::int64_t>(most)});
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (kept() > most + 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(kept(), most + 2) << "two have not ended";
    EXPECT_EQ(text(), "6 1 2 3");
  }
  database_.close();
  database_.open();
  EXPECT_EQ(text(), "6 1 2 3");
  expect_sound();
  // Thirty days after they were made only what one of them did two days later counts.
  clock_.advance(28 * kDay);
  EXPECT_EQ(text(), "0 0 0 1");
}

TEST_F(DayBookTest, TheOverviewCountsByTimesWhereTheClockWasSetBack) {
  clock_.advance(60 * kDay);
  make("planner", "fix");
  run("planner", usage_of("m", 10));
  for (int i = 0; i < 5; ++i) {
    clock_.jump(-40 * kDay);
    make("planner", "old");
    run("planner", usage_of("m", 1), TaskState::Failed);
    clock_.jump(40 * kDay);
    make("planner", "fix");
    run("planner", usage_of("m", 1));
  }
  const Overview overview = store().overview().value();
  EXPECT_EQ(overview.tasks, 6);
  EXPECT_EQ(overview.completed, 6);
  EXPECT_EQ(overview.failed, 0);
}

TEST_F(DayBookTest, AnEmptyDatabaseHasNothingToTell) {
  const Overview overview = store().overview().value();
  EXPECT_EQ(overview.tasks, 0);
  EXPECT_THAT(store().agent_stats("").value(), IsEmpty());
  EXPECT_THAT(store().chain_patterns({"", WallTime{}, clock_.wall() + kDay}).value(), IsEmpty());
  EXPECT_THAT(costs(CostGroup::Agent), IsEmpty());
  EXPECT_THAT(store().history()->executions, IsEmpty());
}

TEST_F(DayBookTest, PrunedTasksThatAreCountedWrongAreFound) {
  make("planner", "fix");
  run("planner", usage_of("m", 10));
  const auto finds = [&](const char* sql, const char* sentence) {
    execute(sql);
    EXPECT_THAT(verify(database_.path()).value(), ::testing::Contains(HasSubstr(sentence))) << sql;
  };
  finds("INSERT INTO task_gone VALUES (20000, 3, 1)", "more or fewer were made on a day than are kept and were pruned");
  execute("INSERT INTO task_made VALUES (480000, 'planner', 1)");
  EXPECT_THAT(verify(database_.path()).value(), IsEmpty());
  finds("UPDATE task_gone SET state = 1", "pruned though it had not ended: task_gone day 20000");
  execute("DELETE FROM task_gone; DELETE FROM task_made WHERE hour = 480000");
}

TEST_F(DayBookTest, ABookThatSaysLessThanTheExecutionsIsFound) {
  make("planner", "fix");
  run("planner", usage_of("m", 10));
  for (const char* column : {"cost_micro_usd", "executions"}) {
    execute(("UPDATE day_book SET " + std::string(column) + " = " + column + " - 1").c_str());
    EXPECT_THAT(verify(database_.path()).value(),
                ::testing::Contains(HasSubstr("booked with less than its executions")))
        << column;
    execute(("UPDATE day_book SET " + std::string(column) + " = " + column + " + 1").c_str());
  }
}

}  // namespace
}  // namespace davit::store
