// What is answered from sums of the day book is what the rows say, whatever tasks have been through; and a
// database from before the sums gets them.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "host/store/day_book.h"
#include "host/store/statement.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr Duration kDay{86'400'000};
const std::vector<std::string> kAgents{"planner", "executor", "reviewer"};

struct Line {
  std::int64_t executions = 0, cost = 0, tokens = 0;
  bool operator==(const Line&) const = default;
};
void PrintTo(const Line& line, std::ostream* out) {
  *out << line.executions << " executions, cost " << line.cost << ", tokens " << line.tokens;
}
using Lines = std::map<std::string, Line>;

class DaySumsTest : public StoreTest {
 protected:
  std::unique_ptr<Database> connection(Database::Mode mode) {
    auto opened = Database::open(database_.path(), mode, "");
    return std::move(std::get<0>(opened));
  }
  // While the store is closed.
  void execute(const std::string& sql) {
    const auto database = connection(Database::Mode::Write);
    database->execute(sql.c_str());
    ASSERT_TRUE(database->check().ok()) << sql;
  }

  // As the store tells it, and as its executions say.
  Lines told(CostGroup group, const std::string& agent) {
    Lines lines;
    const auto costs = store().costs({group, agent, WallTime{}, clock_.wall() + kDay}).value();
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
  std::map<std::string, Lines> all_told() {
    std::map<std::string, Lines> all;
    for (const auto& [group, column] : groups())
      for (const std::string agent : {"", "planner", "executor"})
        all[column + " of " + agent] = told(group, agent);
    return all;
  }
  void expect_true() {
    for (const auto& [group, column] : groups())
      for (const std::string agent : {"", "planner", "executor"})
        EXPECT_EQ(told(group, agent), counted(column, agent)) << column << " of " << agent;
  }

  // What runs is lost, and booked.
  void restart() {
    database_.close();
    database_.open();
    running_.clear();
  }
  void cancel_all() {
    restart();
    const auto tasks = store().tasks({.limit = 500}).value().items;
    for (const TaskSummary& task : tasks) {
      if (is_final(task.state)) continue;
      EXPECT_TRUE(cancel(task.task_id).ok());
    }
  }

  // Something that happens to tasks.
  void live() {
    switch (pick(10)) {
      case 0:
      case 1:
      case 2: {
        NewTask task = new_task(kAgents[pick(3)]);
        task.task_type = pick(2) == 0 ? "fix" : "review";
        task.max_retries = 1;
        const std::string source = pick(2) == 0 ? "github" : "jira";
        static_cast<void>(wait<std::string>([&](auto done) { store().create_task(task, source, std::nullopt, done); }));
        return;
      }
      case 3:
      case 4:
        for (const ClaimedTask& task : claim(2, {{"planner", 9}, {"executor", 9}, {"reviewer", 9}}))
          running_.push_back(task.fence);
        return;
      case 5:
      case 6:
        if (!running_.empty()) end(take_running());
        return;
      case 7:
        if (!running_.empty()) report(running_[pick(running_.size())]);
        return;
      case 8:
        return decide();
      default:
        return pass_time();
    }
  }

 private:
  std::size_t pick(std::size_t of) { return std::uniform_int_distribution<std::size_t>(0, of - 1)(random_); }
  Fence take_running() {
    const std::size_t at = pick(running_.size());
    const Fence fence = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    return fence;
  }
  Usage usage() {
    Usage usage;
    usage.model = pick(2) == 0 ? "big" : "small";
    usage.cost_micro_usd = static_cast<std::int64_t>(pick(1'000));
    usage.input_tokens = static_cast<std::int64_t>(pick(1'000));
    return usage;
  }
  // What it says so far is an estimate half of the time, which the end may put right.
  void report(const Fence& fence) {
    LiveReport report{.fence = fence, .usage = usage()};
    report.usage->cost_is_estimate = pick(2) == 0;
    static_cast<void>(wait([&](auto done) { store().report({report}, done); }));
  }
  void end(const Fence& fence) {
    const TaskState states[] = {TaskState::Completed, TaskState::Completed, TaskState::Queued,
                                TaskState::Failed};
    Finish done = finish_of(fence, states[pick(4)]);
    if (pick(3) > 0) done.result.usage = usage();
    if (done.result.success && pick(2) == 0) {
      done.successor = new_task(kAgents[pick(3)]);
      done.successor_awaits_approval = pick(2) == 0;
    }
    static_cast<void>(finish(std::move(done)));  // it may have been lost meanwhile
  }
  // Somebody approves, rejects, cancels, opens again.
  void decide() {
    const auto tasks = store().tasks({}).value().items;
    if (tasks.empty()) return;
    const TaskSummary& task = tasks[pick(tasks.size())];
    if (task.state == TaskState::AwaitingApproval)
      static_cast<void>(pick(2) == 0 ? approve(task.task_id) : reject(task.task_id));
    else if (is_final(task.state) || task.state == TaskState::Parked)
      static_cast<void>(retry(task.task_id));
    else if (pick(3) == 0)
      static_cast<void>(cancel(task.task_id));
  }
  void pass_time() {
    clock_.advance(std::vector<Duration>{Duration(500), 2 * kLease, kDay / 3}[pick(3)]);
    reap();
    if (pick(4) != 0) return;
    restart();
  }

  std::vector<Fence> running_;
  std::mt19937_64 random_{seed()};
  static std::uint64_t seed() {
    const char* given = std::getenv("DAVIT_MODEL_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cout << "DAVIT_MODEL_SEED=" << seed << std::endl;
    return seed;
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
  // What has ended is pruned; what was counted stays, also after a restart.
  clock_.advance(30 * kDay);
  store().set_retention({.keep = kDay});
  const auto finished = [&] {
    const auto page = store().tasks({.limit = 500});
    return std::count_if(page->items.begin(), page->items.end(),
                         [](const TaskSummary& task) { return is_final(task.state); });
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (finished() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(finished(), 0);
  EXPECT_EQ(all_told(), before);
  database_.close();
  expect_sound();
}

TEST_F(DaySumsTest, ADatabaseFromBeforeThemGetsThem) {
  for (int step = 0; step < 200; ++step) live();
  restart();
  const auto before = all_told();
  database_.close();
  execute("DROP TABLE day_sum; DROP INDEX delivery_webhook");
  execute("DROP TABLE queue_sample; DROP TABLE queue_watch; DROP TABLE task_made");
  execute("PRAGMA user_version = 12");
  database_.open();
  EXPECT_EQ(all_told(), before);
  database_.close();
  expect_sound();
}

TEST_F(DaySumsTest, OnesThatDifferFromTheBookAreFound) {
  for (int step = 0; step < 100; ++step) live();
  database_.close();
  const auto found = [&] { return verify(database_.path()).value(); };
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
  execute("DELETE FROM day_sum WHERE slice = 3");
  EXPECT_THAT(found(), differ);
}

}  // namespace
}  // namespace davit::store
