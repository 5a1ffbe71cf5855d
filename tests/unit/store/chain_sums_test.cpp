// Chains are counted as they end, as what their tasks have been says, whatever these go through and whatever
// of them is pruned.
#include "host/store/chain_sums.h"

#include <map>
#include <set>

#include "host/store/migrations.h"
#include "tests/unit/store/lives.h"
#include "tests/unit/store/undone.h"

namespace davit::store {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

struct Chains {
  std::int64_t count = 0, succeeded = 0, duration = 0, cost = 0;
  bool operator==(const Chains&) const = default;
};
void PrintTo(const Chains& chains, std::ostream* out) {
  *out << chains.count << " chains, " << chains.succeeded << " good, " << chains.duration << " ms, cost "
       << chains.cost;
}
using ByAgents = std::map<std::vector<std::string>, Chains>;
using ByDay = std::map<std::int64_t, ByAgents>;

class ChainSumsTest : public LivesTest {
 protected:
  ByAgents told(WallTime start, WallTime end, const std::string& agent = "") {
    ByAgents chains;
    const std::vector<ChainPattern> patterns = store().chain_patterns({agent, start, end}).value();
    for (const ChainPattern& pattern : patterns)
      chains[pattern.agents] = {pattern.count, pattern.succeeded, pattern.duration.count(),
                                pattern.cost_micro_usd};
    return chains;
  }
  ByAgents told(const std::string& agent = "") { return told(WallTime{}, clock_.wall() + 400 * kDay, agent); }

  // Tasks as they have been seen last, also those that were pruned since.
  struct Seen {
    std::string parent, agent;
    int state = 0;
    std::int64_t made = 0, ended = 0, cost = 0;
  };
  void see_tasks() {
    const auto database = connection(Database::Mode::Read);
    Statement tasks(*database,
                    "SELECT t.id, t.parent, t.agent, t.state, t.created_at, t.finished_at,"
                    " (SELECT total(cost_micro_usd) FROM execution e WHERE e.task = t.row) FROM task t");
    for (Cursor row = tasks.query(); row.next();)
      seen_[row.text(0)] = {row.text(1),    row.text(2),    static_cast<int>(row.integer(3)),
                            row.integer(4), row.integer(5), row.integer(6)};
  }
  // What they come to, each found by walking from the last to the first.
  ByDay counted() const {
    std::set<std::string> followed;
    for (const auto& [id, task] : seen_) followed.insert(task.parent);
    ByDay days;
    for (const auto& [id, last] : seen_) {
      if ((last.state != 3 && last.state != 4) || followed.contains(id)) continue;
      std::vector<std::string> agents;
      Chains chain{1, last.state == 3 ? 1 : 0, 0, 0};
      const Seen* first = nullptr;
      for (auto task = seen_.find(id); task != seen_.end(); task = seen_.find(task->second.parent)) {
        first = &task->second;
        agents.insert(agents.begin(), first->agent);
        chain.cost += first->cost;
      }
      chain.duration = std::max<std::int64_t>(last.ended - first->made, 0);
      Chains& sums = days[last.ended / kDay.count()][agents];
      sums = {sums.count + 1, sums.succeeded + chain.succeeded, sums.duration + chain.duration,
              sums.cost + chain.cost};
    }
    return days;
  }
  void expect_true() {
    see_tasks();
    ByAgents all;
    for (const auto& [day, by_agents] : counted()) {
      const WallTime start = from_unix_ms(day * kDay.count());
      EXPECT_EQ(told(start, start + kDay), by_agents) << "on day " << day;
      for (const auto& [agents, sums] : by_agents) {
        Chains& sum = all[agents];
        sum = {sum.count + sums.count, sum.succeeded + sums.succeeded, sum.duration + sums.duration,
               sum.cost + sums.cost};
      }
    }
    EXPECT_EQ(told(), all);
  }

  // Lets the newest task of the agent run to its end.
  std::string run(const std::string& agent, std::int64_t cost, TaskState to = TaskState::Completed,
                  std::vector<NewTask> then = {}) {
    const ClaimedTask task = claim(1, {{agent, 1}}).at(0);
    clock_.advance(Duration(1'000));
    Finish done = finish_of(task.fence, to);
    done.result.usage.cost_micro_usd = cost;
    done.result.tasks = std::move(then);
    EXPECT_TRUE(finish(done).ok());
    return task.task_id;
  }
  NewTask keyed(const std::string& agent, const std::string& key) const {
    NewTask task = new_task(agent);
    task.key = key;
    return task;
  }
  std::int64_t number(const char* sql) { return connection(Database::Mode::Read)->integer(sql); }

  std::map<std::string, Seen> seen_;
};

TEST_F(ChainSumsTest, TheyAreTheTasksWhateverTheseGoThroughAndWhateverIsPruned) {
  for (int step = 0; step < 600; ++step) {
    live();
    if (step % 15 == 14) expect_true();
    if (step % 50 == 49) {
      clock_.advance(kDay);
      see_tasks();  // what goes now will not be seen again
      prune(2 * kDay);
      expect_true();
      const auto findings = found();
      EXPECT_THAT(findings, IsEmpty());
    }
    if (HasFailure()) FAIL() << "after " << step << " steps";
  }
  EXPECT_GT(number("SELECT count(*) FROM chain_sum WHERE gone = 1"), 0);
  cancel_all();
  expect_true();
  const ByAgents before = told();
  clock_.advance(30 * kDay);
  prune_all_that_is_finished();
  EXPECT_EQ(told(), before);
  database_.close();
  EXPECT_EQ(number("SELECT count(*) FROM chain_place"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM chain_sum WHERE gone = 0"), 0);
  expect_sound();
  EXPECT_EQ(told(), before) << "also after a restart";
}

TEST_F(ChainSumsTest, WhatIsTriedAgainCountsAsItEndsLast) {
  create();
  run("planner", 100, TaskState::Completed, {new_task("executor")});
  EXPECT_THAT(told(), IsEmpty());
  const std::string failed = run("executor", 20, TaskState::Failed);
  EXPECT_THAT(told(), ElementsAre(Pair(ElementsAre("planner", "executor"), Chains{1, 0, 2'000, 120})));
  clock_.advance(kDay);
  ASSERT_TRUE(retry(failed).ok());
  EXPECT_THAT(told(), IsEmpty()) << "it goes on";
  run("executor", 3);
  EXPECT_THAT(told(),
              ElementsAre(Pair(ElementsAre("planner", "executor"), Chains{1, 1, 3'000 + kDay.count(), 123})));
  const WallTime today(std::chrono::floor<std::chrono::days>(clock_.wall()));
  EXPECT_THAT(told(WallTime{}, today), IsEmpty());
  EXPECT_EQ(told(today, clock_.wall() + Duration(1)), told());
  expect_true();
  expect_sound();
}

TEST_F(ChainSumsTest, EachEndOfOneRootCounts) {
  create();
  run("planner", 100, TaskState::Completed, {new_task("executor"), new_task("reviewer")});
  run("executor", 20);
  run("reviewer", 3, TaskState::Failed);
  EXPECT_THAT(told(), ElementsAre(Pair(ElementsAre("planner", "executor"), Chains{1, 1, 2'000, 120}),
                                  Pair(ElementsAre("planner", "reviewer"), Chains{1, 0, 3'000, 103})));
  EXPECT_THAT(told("reviewer"), ElementsAre(Pair(ElementsAre("planner", "reviewer"), ::testing::_)));
  EXPECT_EQ(told("planner"), told()) << "who worked in all of them";
  EXPECT_THAT(told("nobody"), IsEmpty());
  expect_true();
  expect_sound();
}

TEST_F(ChainSumsTest, WorkThatIsSentBackHasThePlaceOfWhatItRepeats) {
  create(new_task("executor"));
  run("executor", 100, TaskState::Completed, {new_task("planner")});
  NewTask asks = new_task("reviewer");
  asks.awaits_approval = true;
  run("planner", 20, TaskState::Completed, {asks});
  const std::string waits = store().tasks({.state = TaskState::AwaitingApproval}).value().items.at(0).task_id;
  ASSERT_TRUE(reject(waits, "do it otherwise").ok());
  EXPECT_THAT(told(), IsEmpty());
  run("planner", 3);
  EXPECT_THAT(told(), ElementsAre(Pair(ElementsAre("executor", "planner"), Chains{1, 1, 3'000, 103})));
  expect_true();
  expect_sound();
}

TEST_F(ChainSumsTest, WhoseFollowUpIsTakenOverByAnotherIsAnEnd) {
  create();
  run("planner", 1, TaskState::Completed, {new_task("executor"), new_task("reviewer")});
  run("executor", 20, TaskState::Completed, {keyed("messenger", "note")});
  EXPECT_THAT(told(), IsEmpty());
  run("reviewer", 300, TaskState::Completed, {keyed("messenger", "note")});
  EXPECT_THAT(told(), ElementsAre(Pair(ElementsAre("planner", "executor"), Chains{1, 1, 2'000, 21})));
  run("messenger", 4'000);
  EXPECT_THAT(told(), UnorderedElementsAre(
                          Pair(ElementsAre("planner", "executor"), Chains{1, 1, 2'000, 21}),
                          Pair(ElementsAre("planner", "reviewer", "messenger"), Chains{1, 1, 4'000, 4'301})));
  expect_true();
  expect_sound();
}

TEST_F(ChainSumsTest, WhatBeganItsChainMayBePrunedBeforeItIsTriedAgain) {
  create();
  run("planner", 100, TaskState::Completed, {new_task("executor")});
  clock_.advance(2 * kDay);
  const std::string failed = run("executor", 20, TaskState::Failed);
  const ByAgents before = told();
  prune(kDay);
  ASSERT_EQ(number("SELECT count(*) FROM task"), 1);
  EXPECT_EQ(told(), before);
  ASSERT_TRUE(retry(failed).ok());
  EXPECT_THAT(told(), IsEmpty());
  run("executor", 3);
  EXPECT_THAT(told(), ElementsAre(Pair(ElementsAre("planner", "executor"),
                                       Chains{1, 1, 3'000 + 2 * kDay.count(), 123})));
  expect_sound();
}

TEST_F(ChainSumsTest, WhoseFollowUpIsPrunedFirstIsNoEnd) {
  create();
  clock_.jump(10 * kDay);  // it is set wrong for a while, so what follows ends first
  run("planner", 100, TaskState::Completed, {new_task("executor")});
  clock_.jump(-10 * kDay);
  run("executor", 20);
  const ByAgents before = told();
  EXPECT_THAT(before, ElementsAre(Pair(ElementsAre("planner", "executor"), Chains{1, 1, 2'000, 120})));
  clock_.advance(3 * kDay);
  prune(kDay);
  ASSERT_EQ(number("SELECT count(*) FROM task"), 1);
  EXPECT_EQ(told(), before);
  EXPECT_THAT(found(), IsEmpty());
  clock_.advance(10 * kDay);
  prune(kDay);
  ASSERT_EQ(number("SELECT count(*) FROM task"), 0);
  EXPECT_EQ(told(), before);
  expect_sound();
}

TEST_F(ChainSumsTest, OfTooManyPatternsAllFurtherOnesCountAsOne) {
  create();
  run("planner", 1);
  database_.close();
  execute(
      "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
      " INSERT INTO chain_pattern (before, agent) SELECT 0, 'agent-' || i FROM n");
  create(new_task("executor"));
  run("executor", 20, TaskState::Completed, {new_task("planner")});
  run("planner", 300, TaskState::Failed);
  const ByAgents with_other{{{"planner"}, {1, 1, 1'000, 1}}, {{"other"}, {1, 0, 2'000, 320}}};
  EXPECT_EQ(told(), with_other);
  EXPECT_THAT(told("executor"), IsEmpty());
  // What was counted so is taken back so, by a writer that has not counted it, too.
  restart();
  ASSERT_TRUE(retry(store().tasks({.agent = "planner"}).value().items.at(0).task_id).ok());
  EXPECT_EQ(told(), (ByAgents{{{"planner"}, {1, 1, 1'000, 1}}}));
  create(new_task("reviewer"));
  run("reviewer", 4'000);
  EXPECT_EQ(told(), (ByAgents{{{"planner"}, {1, 1, 1'000, 1}}, {{"other"}, {1, 1, 1'000, 4'000}}}));
  expect_sound();
}

TEST_F(ChainSumsTest, OnlyWhatIsCompletedIsFollowed) {
  create();
  Finish failed = finish_of(claim_one().fence, TaskState::Failed);
  failed.result.tasks = {new_task("executor")};
  EXPECT_EQ(finish(failed).error().code, ErrorCode::InvalidInput);
  failed.result.tasks.clear();
  failed.successor = new_task("executor");
  EXPECT_THAT(finish(failed).error().message, HasSubstr("completed"));
  failed.successor.reset();
  EXPECT_TRUE(finish(failed).ok());
}

TEST_F(ChainSumsTest, ADatabaseFromBeforeThemGetsThem) {
  for (int step = 0; step < 400; ++step) {
    live();
    if (step % 100 == 99) prune(2 * kDay);
  }
  restart();
  // What was pruned before is known of nobody.
  database_.close();
  const auto rows = [&](const char* sql) {
    std::vector<std::string> all;
    const auto database = connection(Database::Mode::Read);
    Statement statement(*database, sql);
    for (Cursor row = statement.query(); row.next();) all.push_back(row.text(0));
    return all;
  };
  // By the agents, as numbers of patterns are in the order in which they came up.
  const char* const sums =
      "WITH RECURSIVE name (id, agents) AS (SELECT id, agent FROM chain_pattern WHERE before = 0 UNION ALL"
      " SELECT c.id, n.agents || ' ' || c.agent FROM name n JOIN chain_pattern c ON c.before = n.id) "
      "SELECT day || ' ' || agents || ' ' || count || ' ' || succeeded FROM chain_sum s JOIN name n ON n.id "
      "= s.pattern"
      " WHERE gone = 0 ORDER BY 1";
  const auto kept = rows(sums), totals = rows(
                                    "SELECT agent || outcome || task_type || executions || first_day"
                                    " FROM execution_total ORDER BY 1");
  execute(undo_steps_behind(13));
  database_.open();
  EXPECT_EQ(rows(sums), kept);
  EXPECT_EQ(
      rows("SELECT agent || outcome || task_type || executions || first_day FROM execution_total ORDER BY 1"),
      totals);
  EXPECT_THAT(kept, ::testing::Not(IsEmpty()));
  expect_sound();
  for (int step = 0; step < 200; ++step) live();
  expect_sound();
}

TEST_F(ChainSumsTest, OnesThatDifferFromTheTasksAreFound) {
  create();
  run("planner", 100, TaskState::Completed, {new_task("executor")});
  run("executor", 20);
  create();
  run("planner", 3, TaskState::Failed);
  database_.close();
  EXPECT_THAT(found(), IsEmpty());
  const auto differ = Contains(HasSubstr("sums of chains differ from the tasks that ended them"));
  for (const char* column : {"count", "succeeded", "duration_ms", "cost_micro_usd"}) {
    const std::string change = "UPDATE chain_sum SET " + std::string(column) + " = " + column;
    execute(change + " + 1");
    EXPECT_THAT(found(), differ) << column;
    execute(change + " - 1");
    EXPECT_THAT(found(), IsEmpty()) << column;
  }
  struct Meddled {
    const char *change, *undo, *finding;
  };
  const Meddled all[] = {
      {"INSERT INTO chain_sum VALUES (1, 1, 0, 1, 1, 1, 1)", "DELETE FROM chain_sum WHERE day = 1",
       "sums of chains differ"},
      {"INSERT INTO chain_sum VALUES (1, 1, 1, 1, 2, 1, 1)", "DELETE FROM chain_sum WHERE day = 1",
       "counts what cannot be"},
      {"INSERT INTO chain_sum VALUES (1, 77, 1, 1, 1, 1, 1)", "DELETE FROM chain_sum WHERE day = 1",
       "pattern of agents that is not there"},
      {"INSERT INTO chain_pattern VALUES (9, 12, 'x')", "DELETE FROM chain_pattern WHERE id = 9",
       "begins with a pattern that is not there"},
      {"UPDATE chain_place SET cost_micro_usd = cost_micro_usd + 1",
       "UPDATE chain_place SET cost_micro_usd = cost_micro_usd - 1", "another place in its chain"},
      {"UPDATE chain_place SET begun_at = begun_at + 1", "UPDATE chain_place SET begun_at = begun_at - 1",
       "another place in its chain"},
      {"UPDATE chain_place SET pattern = 1", "UPDATE chain_place SET pattern = 2",
       "another place in its chain"},
      {"INSERT INTO chain_place SELECT row, 1, 0, 0, 0 FROM task WHERE parent IS NULL",
       "DELETE FROM chain_place WHERE pattern = 1", "has no place in its chain, or one"},
      {"UPDATE execution_total SET executions = executions + 1",
       "UPDATE execution_total SET executions = executions - 1", "executions of all days differ"},
      {"DELETE FROM chain_place", "SELECT 1", "has no place in its chain"},
  };
  for (const Meddled& each : all) {
    execute(each.change);
    EXPECT_THAT(found(), Contains(HasSubstr(each.finding))) << each.change;
    execute(each.undo);
    if (std::string(each.undo) != "SELECT 1") {
      EXPECT_THAT(found(), IsEmpty()) << each.undo;
    }
  }
}

}  // namespace
}  // namespace davit::store
