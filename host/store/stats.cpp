// Sums come from the day book, which outlives what is pruned, by way of day_sum: a row for each day, agent
// and outcome (or model, task type, source) that came together. The book itself has one for each of them all
// that came together, hundreds of thousands in a busy year. Chains have sums of their own (chain_sums.h). What they
// cannot tell (how single tasks went) is asked of the newest tasks, and that costs the same however many there are.
#include "host/store/stats.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "host/store/chain_sums.h"
#include "host/store/day_book.h"
#include "host/store/rows.h"
#include "host/store/task_rows.h"

namespace davit::store {
namespace {

constexpr int kOverviewDays = 30;
constexpr std::size_t kSuccessWindow = 100;
constexpr std::size_t kDurationWindow = 200;
constexpr std::size_t kLabelValues = 64;  // as many of one kind do metrics tell apart
// The tasks that ended last are looked for among so many that were made last: one that worked while so many
// younger ones came to their end is not seen.
constexpr int kEndedAmong = 500;

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}
WallTime begin_of(std::int64_t day) {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::days(day)));
}

constexpr const char* kSums =
    "sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),"
    " sum(cache_write_tokens), sum(cost_micro_usd)";
constexpr int kSumsWidth = 7;

ExecutionSums read_sums(const Cursor& row, int first) {
  ExecutionSums sums;
  sums.executions = row.integer(first);
  sums.worked = Duration(row.integer(first + 1));
  sums.usage.input_tokens = row.integer(first + 2);
  sums.usage.output_tokens = row.integer(first + 3);
  sums.usage.cache_read_tokens = row.integer(first + 4);
  sums.usage.cache_write_tokens = row.integer(first + 5);
  sums.usage.cost_micro_usd = row.integer(first + 6);
  return sums;
}

// A task that was completed or failed.
struct Settled {
  std::int64_t task = 0;  // its number
  bool good = false;
  WallTime at{};
  std::int64_t execution = 0;  // its last one
};

// Of an agent, in the order in which they came to their end.
std::vector<Settled> read_settled(Reader& reader, const std::string& agent) {
  // By numbers first, which the index has itself: those of an agent that were made last lie side by side in the tables,
  // those of its rare outcomes do not.
  std::vector<std::int64_t> tasks;
  Statement& newest = reader.statement(
      "SELECT row FROM task INDEXED BY task_stood WHERE state <> 0 AND state <> 1 AND agent = ?1 AND source = ?2"
      " AND state = ?3 ORDER BY row DESC LIMIT ?4");
  for (const StoodPart& part : stood_parts(reader, agent, "", {TaskState::Completed, TaskState::Failed})) {
    Cursor row = newest.query(agent, part.source, part.state, kEndedAmong);
    while (row.next()) tasks.push_back(row.integer(0));
  }
  std::sort(tasks.begin(), tasks.end(), std::greater<>());
  tasks.resize(std::min<std::size_t>(tasks.size(), kEndedAmong));
  std::vector<Settled> settled;
  Statement& one =
      reader.statement("SELECT state, finished_at, execution FROM task WHERE row = ?1 AND execution > 0");
  for (const std::int64_t task : tasks) {
    Cursor row = one.query(task);
    if (!row.next()) continue;  // it never began
    settled.push_back({task, task_state_of(row.integer(0)) == TaskState::Completed, row.time(1), row.integer(2)});
  }
  std::reverse(settled.begin(), settled.end());  // of those that ended at once the youngest counts as last
  std::stable_sort(settled.begin(), settled.end(),
                   [](const Settled& a, const Settled& b) { return a.at < b.at; });
  return settled;
}

Duration read_duration(Reader& reader, std::int64_t execution) {
  Cursor row = reader.statement("SELECT ended_at - started_at FROM execution WHERE row = ?1").query(execution);
  return Duration(row.next() ? std::max<std::int64_t>(row.integer(0), 0) : 0);
}

std::span<const Settled> last(const std::vector<Settled>& settled, std::size_t most) {
  return std::span(settled).last(std::min(settled.size(), most));
}

// The least value that so many of a hundred do not exceed.
Duration percentile(const std::vector<Duration>& ascending, std::size_t percent) {
  if (ascending.empty()) return Duration(0);
  return ascending[(ascending.size() * percent + 99) / 100 - 1];
}

}  // namespace

std::vector<AgentStats> read_agent_stats(Reader& reader, std::string_view agent) {
  std::map<std::string, AgentStats> by_agent;
  {
    Cursor row =
        reader
            .statement(std::string("SELECT agent, name, ") + kSums +
                       " FROM day_sum WHERE slice = ?2 AND (?1 = '' OR agent = ?1) GROUP BY agent, name")
            .query(agent, static_cast<int>(Slice::Outcome));
    while (row.next()) {
      AgentStats& stats = by_agent[row.text(0)];
      const ExecutionSums sums = read_sums(row, 2);
      stats.outcomes[row.text(1)] = sums.executions;
      stats.sums.executions += sums.executions;
      stats.sums.worked += sums.worked;
      add(stats.sums.usage, sums.usage);
    }
  }
  std::vector<AgentStats> all;
  for (auto& [name, stats] : by_agent) {
    stats.agent = name;
    const std::vector<Settled> settled = read_settled(reader, name);
    for (const Settled& each : last(settled, kSuccessWindow)) {
      ++stats.settled;
      if (each.good) ++stats.succeeded;
    }
    std::vector<Duration> took;
    for (const Settled& each : last(settled, kDurationWindow)) took.push_back(read_duration(reader, each.execution));
    std::sort(took.begin(), took.end());
    stats.timed = static_cast<int>(took.size());
    stats.p50 = percentile(took, 50);
    stats.p95 = percentile(took, 95);
    all.push_back(std::move(stats));
  }
  return all;
}

std::vector<CostLine> read_costs(Reader& reader, const CostQuery& query) {
  if (query.start >= query.end) return {};
  const auto [slice, column] = [&]() -> std::pair<Slice, const char*> {
    switch (query.group_by) {
      case CostGroup::Agent:
        return {Slice::Outcome, "agent"};  // the one with the fewest names
      case CostGroup::Day:
        return {Slice::Outcome, "day"};
      case CostGroup::TaskType:
        return {Slice::TaskType, "name"};
      case CostGroup::Model:
        return {Slice::Model, "name"};
      case CostGroup::Source:
        return {Slice::Source, "name"};
    }
    return {Slice::Outcome, "agent"};
  }();
  const bool by_day = query.group_by == CostGroup::Day;
  std::vector<CostLine> lines;
  Cursor row =
      reader
          .statement(
              std::string("SELECT ") + kSums + ", " + column +
              " FROM day_sum WHERE slice = ?4 AND day BETWEEN ?1 AND ?2 AND (?3 = '' OR agent = ?3) GROUP "
              "BY " +
              column + " ORDER BY " +
              (by_day ? "day" : "sum(cost_micro_usd) DESC, sum(executions) DESC, " + std::string(column)))
          .query(day_of(query.start), day_of(query.end - Duration(1)), query.agent, static_cast<int>(slice));
  while (row.next()) {
    CostLine line{row.text(kSumsWidth), read_sums(row, 0)};
    if (by_day) line.group = to_iso8601(begin_of(row.integer(kSumsWidth))).substr(0, 10);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<ChainPattern> read_chain_patterns(Reader& reader, const ChainQuery& query) {
  if (query.start >= query.end) return {};
  // Agents by pattern. What is before a pattern has a smaller number.
  std::map<std::int64_t, std::vector<std::string>> agents;
  {
    Cursor row = reader.statement("SELECT id, before, agent FROM chain_pattern ORDER BY id").query();
    while (row.next()) {
      std::vector<std::string> names;
      if (const auto before = agents.find(row.integer(1)); before != agents.end()) names = before->second;
      names.push_back(row.text(2));
      agents.emplace(row.integer(0), std::move(names));
    }
  }
  agents[kOtherPattern] = {std::string(kOtherAgents)};
  std::map<std::vector<std::string>, ChainPattern> by_agents;
  Cursor row = reader
                   .statement(
                       "SELECT pattern, sum(count), sum(succeeded), sum(duration_ms), sum(cost_micro_usd)"
                       " FROM chain_sum WHERE day BETWEEN ?1 AND ?2 GROUP BY pattern")
                   .query(day_of(query.start), day_of(query.end - Duration(1)));
  while (row.next()) {
    const auto names = agents.find(row.integer(0));
    if (names == agents.end()) continue;
    const std::vector<std::string>& all = names->second;
    if (!query.agent.empty() && std::find(all.begin(), all.end(), query.agent) == all.end()) continue;
    ChainPattern& pattern = by_agents[all];
    pattern.agents = all;
    pattern.count += row.integer(1);
    pattern.succeeded += row.integer(2);
    pattern.duration += Duration(row.integer(3));
    pattern.cost_micro_usd += row.integer(4);
  }
  std::vector<ChainPattern> patterns;
  for (auto& [names, pattern] : by_agents) patterns.push_back(std::move(pattern));
  std::stable_sort(patterns.begin(), patterns.end(),
                   [](const ChainPattern& a, const ChainPattern& b) { return a.count > b.count; });
  return patterns;
}

Overview read_overview(Reader& reader, WallTime now) {
  Overview overview;
  const std::int64_t first_day = day_of(now) - (kOverviewDays - 1);
  overview.since = begin_of(first_day);
  {
    Cursor row = reader
                     .statement(std::string("SELECT name = 'completed', ") + kSums +
                                " FROM day_sum WHERE slice = ?2 AND day >= ?1 GROUP BY 1")
                     .query(first_day, static_cast<int>(Slice::Outcome));
    while (row.next()) {
      const ExecutionSums sums = read_sums(row, 1);
      overview.sums.executions += sums.executions;
      overview.sums.worked += sums.worked;
      add(overview.sums.usage, sums.usage);
      if (row.integer(0) == 0) continue;
      overview.completed_executions = sums.executions;
      overview.completed_worked = sums.worked;
    }
  }
  {
    // Those that the search has not reached are not in the sums yet.
    Cursor row = reader
                     .statement(
                         "SELECT (SELECT coalesce(sum(tasks), 0) FROM task_made WHERE hour >= ?1 * 24)"
                         " + (SELECT count(*) FROM task WHERE row > (SELECT reached FROM task_search_state)"
                         " AND created_at >= ?1 * 86400000)")
                     .query(first_day);
    if (row.next()) overview.tasks = row.integer(0);
  }
  const auto count = [&](Cursor row) {
    while (row.next())
      (task_state_of(row.integer(0)) == TaskState::Completed ? overview.completed : overview.failed) +=
          row.integer(1);
  };
  count(reader.statement("SELECT state, tasks FROM task_gone WHERE day >= ?1 AND state IN (3, 4)").query(first_day));
  Statement& kept = reader.statement(
      "SELECT state, count(*) FROM task INDEXED BY task_state WHERE state <> 0 AND state IN (3, 4)"
      " AND row BETWEEN ?1 AND ?2 GROUP BY state");
  for (const RowRange& range : ranges_of_time(reader, overview.since, std::nullopt))
    count(kept.query(range.low, range.high));
  return overview;
}

namespace {

// Task types of the kept executions by the first of them that ended. Reads them all; only where there are
// more types than metrics tell apart does the order among those of one day matter.
std::map<std::string, std::int64_t> read_first_ends(Reader& reader) {
  std::map<std::string, std::int64_t> ends;
  Cursor row = reader
                   .statement(
                       "SELECT t.task_type, min(e.ended_at * 1000000 + e.row % 1000000) FROM execution e"
                       " JOIN task t ON t.row = e.task WHERE e.ended_at IS NOT NULL GROUP BY t.task_type")
                   .query();
  while (row.next()) ends[row.text(0)] = row.integer(1);
  return ends;
}

}  // namespace

History read_history(Reader& reader) {
  History history;
  std::set<std::string> agents;
  std::map<std::string, std::int64_t> first_days;  // of task types
  {
    Cursor row = reader
                     .statement(
                         "SELECT agent, outcome, task_type, executions, first_day FROM execution_total"
                         " ORDER BY first_day, agent, outcome, task_type")
                     .query();
    while (row.next()) {
      agents.insert(row.text(0));
      first_days.try_emplace(row.text(2), row.integer(4));
      history.executions.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
    }
  }
  if (first_days.size() > kLabelValues) {
    const std::map<std::string, std::int64_t> first_ends = read_first_ends(reader);
    const auto came = [&](const History::Executions& each) {
      const auto end = first_ends.find(each.task_type);
      // What was pruned came before what is kept.
      return std::pair(first_days.at(each.task_type), end == first_ends.end() ? 0 : end->second);
    };
    std::stable_sort(history.executions.begin(), history.executions.end(),
                     [&](const auto& a, const auto& b) { return came(a) < came(b); });
  }
  {
    Cursor row =
        reader
            .statement(std::string("SELECT agent, name, ") + kSums +
                       " FROM day_sum WHERE slice = ?1 GROUP BY agent, name ORDER BY min(day), agent, name")
            .query(static_cast<int>(Slice::Model));
    while (row.next()) {
      History::Spent& spent = history.spent.emplace_back();
      spent.agent = row.text(0);
      static_cast<ModelUsage&>(spent.usage) = read_sums(row, 2).usage;
      spent.usage.model = row.text(1);
    }
  }
  for (const std::string& agent : agents) {
    const std::vector<Settled> settled = read_settled(reader, agent);
    for (const Settled& each : last(settled, kSuccessWindow))
      history.outcomes[agent].push_back({each.task, each.good});
  }
  return history;
}

}  // namespace davit::store
