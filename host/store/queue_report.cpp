// Depths and times of the queue are read from the partial index of queued tasks by seeking from one (agent,
// rank) to the next, so they cost by agents and priorities, not by tasks.
#include "host/store/queue_report.h"

#include <limits>

#include "host/store/budgets.h"
#include "host/store/pauses.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

// Calls `visit(agent, rank)` for each pair that has a queued task.
template <typename Visit>
void each_ready_queue(Reader& reader, Visit visit) {
  Statement& next_agent = reader.statement(
      "SELECT agent FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent > ?1 ORDER BY "
      "agent LIMIT 1");
  Statement& next_rank = reader.statement(
      "SELECT rank FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank > "
      "?2 ORDER BY rank LIMIT 1");
  std::string agent;
  for (;;) {
    {
      Cursor row = next_agent.query(agent);
      if (!row.next()) return;
      agent = row.text(0);
    }
    std::int64_t rank = std::numeric_limits<std::int64_t>::min();
    for (;;) {
      Cursor row = next_rank.query(agent, rank);
      if (!row.next()) break;
      rank = row.integer(0);
      visit(agent, rank);
    }
  }
}

}  // namespace

Result<QueueReport> read_queue(Reader& reader, const BudgetLimits& limits, WallTime now) {
  QueueReport report;
  {
    Cursor row =
        reader
            .statement(
                "SELECT agent, sum(n) FROM ("
                "SELECT agent, count(*) AS n FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0"
                " GROUP BY agent UNION ALL SELECT agent, count(*) FROM task INDEXED BY task_line_queued"
                " WHERE state = 0 AND line IS NOT NULL AND blocked = 1 GROUP BY agent)"
                " GROUP BY agent")
            .query();
    while (row.next()) report.depths.push_back({row.text(0), TaskState::Queued, row.integer(1)});
  }
  {
    Cursor row = reader
                     .statement(
                         "SELECT agent, state, count(*) FROM task INDEXED BY task_state"
                         " WHERE state <> 0 AND state IN (1, 2, 6) GROUP BY agent, state")
                     .query();
    while (row.next()) report.depths.push_back({row.text(0), task_state_of(row.integer(1)), row.integer(2)});
  }
  {
    Cursor row = reader
                     .statement(
                         "SELECT webhook, count(*) FROM delivery INDEXED BY delivery_due"
                         " WHERE due_at IS NOT NULL GROUP BY webhook")
                     .query();
    while (row.next()) report.deferred.emplace_back(row.text(0), row.integer(1));
  }
  {
    Cursor row = reader.statement("SELECT min(asked_at) FROM approval").query();
    if (row.next() && !row.is_null(0)) report.oldest_asked = row.time(0);
  }
  Statement& first = reader.statement(
      "SELECT run_at FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank "
      "= ?2 ORDER BY run_at LIMIT 1");
  each_ready_queue(reader, [&](const std::string& agent, std::int64_t rank) {
    Cursor row = first.query(agent, rank);
    if (!row.next() || row.time(0) > now) return;
    if (!report.oldest_queued || row.time(0) < *report.oldest_queued) report.oldest_queued = row.time(0);
  });
  report.pauses = read_pauses(reader, now);
  report.budgets = read_budgets(reader, limits, now);
  return report;
}

Result<std::optional<WallTime>> read_next_run_at(Reader& reader, const BudgetLimits& limits, WallTime since) {
  std::optional<WallTime> earliest;
  Statement& next = reader.statement(
      "SELECT run_at FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank "
      "= ?2 AND run_at > ?3"
      " ORDER BY run_at LIMIT 1");
  each_ready_queue(reader, [&](const std::string& agent, std::int64_t rank) {
    Cursor row = next.query(agent, rank, since);
    if (row.next() && (!earliest || row.time(0) < *earliest)) earliest = row.time(0);
  });
  for (const Pause& pause : read_pauses(reader, since))
    if (pause.until && (!earliest || *pause.until < *earliest)) earliest = pause.until;
  for (const BudgetLine& line : read_budgets(reader, limits, since))
    if (line.resumes_at && line.scope != "actor" && (!earliest || *line.resumes_at < *earliest))
      earliest = line.resumes_at;
  return earliest;
}

}  // namespace davit::store
