// What is answered from sums of the day book is what the rows say, whatever tasks have been through; and a
// database from before the sums gets them.
#include "host/store/day_book.h"

#include <map>

#include "tests/unit/store/lives.h"
#include "tests/unit/store/undone.h"

namespace davit::store {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct Line {
  std::int64_t executions = 0, cost = 0, tokens = 0;
  bool operator==(const Line&) const = default;
};
void PrintTo(const Line& line, std::ostream* out) {
  *out << line.executions << " executions, cost " << line.cost << ", tokens " << line.tokens;
}
using Lines = std::map<std::string, Line>;

class DaySumsTest : public LivesTest {
 protected:
  // As the store tells it, and as its executions say.
  Lines told(CostGroup group, const std::string& agent) {
    Lines lines;
    const auto costs = store().costs({group, agent, WallTime{}, clock_.wall() + 400 * kDay}).value();
    for (const CostLine& line : costs)
      lines[line.group] = {line.sums.executions, line.sums.usage.cost_micro_usd,
                           line.sums.usage.total_tokens()};
    return lines;
  }
  Lines counted(const std::string& group, const std::string& agent) {
    Lines lines;
    const auto database = connection(Database::Mode::Read);
    Statement rows(*database,
                   "SELECT " + group +
                       ", count(*), sum(e.cost_micro_usd), sum(e.input_tokens) FROM execution e JOIN task t"
                       " ON t.row = e.task LEFT JOIN task r ON r.id = t.root"
                       " WHERE e.ended_at IS NOT NULL AND (?1 = '' OR e.agent = ?1) GROUP BY 1");
    Cursor row = rows.query(agent);
    while (row.next()) lines[row.text(0)] = {row.integer(1), row.integer(2), row.integer(3)};
    return lines;
  }
  static const std::vector<std::pair<CostGroup, std::string>>& groups() {
    static const std::vector<std::pair<CostGroup, std::string>> kGroups{
        {CostGroup::Agent, "e.agent"},
        {CostGroup::Day, "date(e.started_at / 1000, 'unixepoch')"},
        {CostGroup::TaskType, "t.task_type"},
        {CostGroup::Model, "coalesce(e.model, '')"},
        {CostGroup::Source, "coalesce(r.source, t.source)"}};
    return kGroups;
  }
  // By hours and outcomes.
  Lines hours_told(const std::string& agent) {
    Lines lines;
    const auto points = store().series({Bucket::Hour, agent, WallTime{}, clock_.wall() + 400 * kDay}).value();
    for (const SeriesPoint& point : points)
      lines[to_iso8601(point.at).substr(0, 13) + " " + point.outcome] = {
          point.sums.executions, point.sums.usage.cost_micro_usd, point.sums.usage.total_tokens()};
    return lines;
  }
  // Tasks that were made, were completed and failed, of the last thirty days.
  std::string overview_told() {
    const Overview overview = store().overview().value();
    return std::to_string(overview.tasks) + " " + std::to_string(overview.completed) + " " +
           std::to_string(overview.failed);
  }
  std::string overview_counted() {
    const auto database = connection(Database::Mode::Read);
    Statement rows(*database,
                   "SELECT count(*) || ' ' || total(state = 3) || ' ' || total(state = 4) FROM task"
                   " WHERE created_at >= ?1");
    const WallTime since = WallTime(std::chrono::floor<std::chrono::days>(clock_.wall())) - 29 * kDay;
    Cursor row = rows.query(since);
    row.next();
    std::string text = row.text(0);
    for (std::size_t at; (at = text.find(".0")) != std::string::npos;) text.erase(at, 2);
    return text;
  }
  std::map<std::string, Lines> all_told() {
    std::map<std::string, Lines> all;
    for (const std::string agent : {"", "planner", "executor"}) all["hours of " + agent] = hours_told(agent);
    for (const auto& [group, column] : groups())
      for (const std::string agent : {"", "planner", "executor"})
        all[column + " of " + agent] = told(group, agent);
    return all;
  }
  void expect_true() {
    for (const auto& [group, column] : groups())
      for (const std::string agent : {"", "planner", "executor"})
        EXPECT_EQ(told(group, agent), counted(column, agent)) << column << " of " << agent;
    for (const std::string agent : {"", "planner", "executor"})
      EXPECT_EQ(hours_told(agent),
                counted("replace(strftime('%Y-%m-%d %H', e.started_at / 1000, 'unixepoch'), ' ', 'T') || ' ' || e.outcome",
                        agent))
          << "hours of " << agent;
    EXPECT_EQ(overview_told(), overview_counted());
  }
};

TEST_F(DaySumsTest, TheyAreTheRowsWhateverTasksGoThroughAndOutliveThem) {
  for (int step = 0; step < 400; ++step) {
    live();
    if (step % 20 == 19) expect_true();
    if (HasFailure()) FAIL() << "after " << step << " steps";
  }
  cancel_all();
  expect_true();
  expect_sound();
  const auto before = all_told();
  EXPECT_FALSE(before.at("e.agent of ").empty());
  EXPECT_FALSE(before.at("hours of ").empty());
  const std::string overview = overview_told();
  prune(Duration(1));
  EXPECT_EQ(overview_told(), overview);
  EXPECT_EQ(all_told(), before);
  // What has ended is pruned; what was counted stays, also after a restart.
  clock_.advance(30 * kDay);
  prune_all_that_is_finished();
  EXPECT_EQ(all_told(), before);
  database_.close();
  expect_sound();
}

TEST_F(DaySumsTest, ADatabaseFromBeforeThemGetsThem) {
  for (int step = 0; step < 200; ++step) live();
  restart();
  const auto before = all_told();
  database_.close();
  execute(undo_steps_behind(12));
  database_.open();
  EXPECT_EQ(all_told(), before);
  database_.close();
  expect_sound();
}

TEST_F(DaySumsTest, WhatHasRunCountsAsWhatItWasThen) {
  const auto keyed = [&](const std::string& type) {
    NewTask task = new_task();
    task.task_type = type;
    task.key = "key";
    return task;
  };
  const std::string id = create(keyed("fix"));
  const auto run = [&](TaskState to) {
    Finish done = finish_of(claim_one().fence, to);
    done.result.usage.cost_micro_usd = to == TaskState::Queued ? 20 : 3;
    EXPECT_TRUE(finish(std::move(done)).ok());
  };
  run(TaskState::Queued);
  clock_.advance(kDay / 24);  // it is tried again then
  EXPECT_EQ(create(keyed("review")), id) << "newer input of the same task";
  run(TaskState::Completed);
  EXPECT_EQ(told(CostGroup::TaskType, ""), (Lines{{"fix", {1, 20, 0}}, {"review", {1, 3, 0}}}));
  expect_sound();
}

TEST_F(DaySumsTest, OnesThatDifferFromTheBookAreFound) {
  for (int step = 0; step < 100; ++step) live();
  database_.close();
  const auto differ = Contains(HasSubstr("sums of a day differ from its book"));
  for (const char* column : {"executions", "duration_ms", "input_tokens", "cost_micro_usd"}) {
    const std::string change = "UPDATE day_sum SET " + std::string(column) + " = " + column;
    execute(change + " + 1 WHERE slice = 2");
    EXPECT_THAT(found(), differ) << column;
    execute(change + " - 1 WHERE slice = 2");
    EXPECT_THAT(found(), ::testing::IsEmpty()) << column;
  }
  execute("INSERT INTO day_sum VALUES (1, 1, 'nobody', '', 1, 1, 1, 1, 1, 1, 1)");
  EXPECT_THAT(found(), differ);
  execute("DELETE FROM day_sum WHERE agent = 'nobody'");
  execute("UPDATE hour_sum SET duration_ms = duration_ms + 1");
  EXPECT_THAT(found(), Contains(HasSubstr("hours differ from their day")));
  execute("UPDATE hour_sum SET duration_ms = duration_ms - 1");
  // In hours in which they did not begin.
  execute("UPDATE hour_sum SET hour = hour + 24");
  EXPECT_THAT(found(), ::testing::AllOf(::testing::Not(Contains(HasSubstr("hours differ from their day"))),
                                        Contains(HasSubstr("more began in an hour than were counted"))));
  execute("DELETE FROM hour_sum");
  execute("DELETE FROM day_sum WHERE slice = 3");
  EXPECT_THAT(found(), differ);
}

}  // namespace
}  // namespace davit::store
