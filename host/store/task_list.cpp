#include "host/store/task_list.h"

#include <algorithm>

#include "host/store/budgets.h"
#include "host/store/cursor.h"
#include "host/store/paging.h"
#include "host/store/pauses.h"
#include "host/store/rows.h"
#include "host/store/task_rows.h"

namespace davit::store {

void tell_line(Reader& reader, TaskSummary& task) {
  if (task.state != TaskState::Queued || !task.hold_reason.empty()) return;
  const std::optional<StoredId> id = to_stored_id(task.task_id);
  if (!id) return;
  Cursor row = reader
                   .statement(
                       "SELECT t.line, coalesce((SELECT o.id FROM task o INDEXED BY task_line_running"
                       " WHERE o.state = 1 AND o.line = t.line),"
                       " (SELECT o.id FROM task o INDEXED BY task_line_queued WHERE o.state = 0"
                       " AND o.line = t.line AND o.agent = t.agent AND o.blocked = 0"
                       " ORDER BY o.rank, o.run_at LIMIT 1)) FROM task t WHERE t.id = ?1 AND t.blocked = 1")
                   .query(*id);
  if (row.next() && !row.is_null(1))
    task.hold_reason = "waits for task " + to_text(row.id(1)) + " of " + row.text(0);
}

Result<Page<TaskSummary>> list_tasks(Reader& reader, const TaskFilter& filter, const BudgetLimits& limits,
                                     WallTime now) {
  const std::int64_t before = TRY(row_before(List::Tasks, filter.cursor));
  const int limit = TRY(read_limit(filter.limit));
  Work work;
  const std::unique_ptr<Rows> rows = TRY(rows_of(reader, filter, work));
  Statement& summary =
      reader.statement(std::string("SELECT ") + kTaskSummaryColumns +
                       " FROM task t LEFT JOIN execution e ON e.row = t.execution WHERE t.row = ?1");
  Page<TaskSummary> page;
  std::int64_t last = before;
  for (std::int64_t at = rows->at_or_below(before - 1); at > 0; at = rows->at_or_below(last - 1)) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Tasks, {last});
      break;
    }
    last = at;
    Cursor row = summary.query(at);
    if (row.next()) page.items.push_back(read_task_summary(row));
  }
  if (page.next_cursor.empty() && work.stopped_at > 0) page.next_cursor = cursor_to(List::Tasks, {work.stopped_at + 1});
  const std::vector<Pause> pauses = read_pauses(reader, now);
  const std::vector<BudgetLine> budgets = read_budgets(reader, limits, now);
  for (TaskSummary& task : page.items) {
    tell_pauses(pauses, task);
    tell_budgets(budgets, now, task);
    tell_line(reader, task);
  }
  return page;
}

Result<MatchingTasks> find_tasks_oldest_first(Reader& reader, const TaskFilter& filter) {
  const int limit = TRY(read_limit(filter.limit));
  std::int64_t last = filter.cursor.empty() ? 0 : TRY(place_of(List::TasksOldestFirst, filter.cursor)).first;
  const auto from = [&] {
    Conditions where;
    where.add("t.row > ?", last);
    where.add("t.state <> 0 AND t.state = ?", code_of(filter.state.front()));
    if (!filter.agent.empty()) where.add("t.agent = ?", filter.agent);
    if (!filter.source.empty()) where.add("t.source = ?", filter.source);
    if (filter.start) where.add("t.created_at >= ?", to_unix_ms(*filter.start));
    if (filter.end) where.add("t.created_at < ?", to_unix_ms(*filter.end));
    return where;
  };
  const std::string table = " FROM task t INDEXED BY task_state";
  MatchingTasks found;
  {
    const Conditions where = from();
    Cursor row = where.query(reader.statement("SELECT t.row, t.id" + table + where.sql +
                                              " ORDER BY t.row LIMIT " + std::to_string(limit)));
    while (row.next()) {
      last = row.integer(0);
      found.ids.push_back(to_text(row.id(1)));
    }
  }
  if (found.ids.size() < static_cast<std::size_t>(limit)) return found;
  const Conditions where = from();
  Cursor row = where.query(reader.statement("SELECT count(*)" + table + where.sql));
  if (row.next()) found.behind = row.integer(0);
  if (found.behind > 0) found.next_cursor = cursor_to(List::TasksOldestFirst, {last});
  return found;
}

// Sorted anew for each page: what waits for people are few. A cursor is the last one's time and row.
Result<Page<std::string>> list_waiting(Reader& reader, std::string_view agent, int wanted,
                                       std::string_view cursor) {
  const int limit = TRY(read_limit(wanted));
  std::int64_t asked = -1, row = 0;
  if (!cursor.empty()) {
    const Place place = TRY(place_of(List::Waiting, cursor));
    asked = place.first;
    row = place.second;
  }
  Page<std::string> page;
  Cursor found = reader
                     .statement(
                         "SELECT a.asked_at, t.row, t.id FROM approval a CROSS JOIN task t ON t.row = a.task"
                         " WHERE (a.asked_at, a.task) > (?1, ?2) AND (?3 = '' OR t.agent = ?3)"
                         " ORDER BY a.asked_at, a.task LIMIT ?4")
                     .query(asked, row, agent, limit + 1);
  while (found.next()) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Waiting, {asked, row});
      break;
    }
    asked = found.integer(0);
    row = found.integer(1);
    page.items.push_back(to_text(found.id(2)));
  }
  return page;
}

Result<Page<DecidedTask>> list_decided(Reader& reader, int wanted, std::string_view cursor) {
  const std::int64_t before = TRY(row_before(List::Decided, cursor));
  const int limit = TRY(read_limit(wanted));
  const auto newest = [](const char* kind) {
    return std::string("SELECT * FROM (SELECT row FROM decision INDEXED BY decision_kind WHERE kind = '") +
           kind + "' AND row < ?1 ORDER BY row DESC LIMIT ?2)";
  };
  Statement& statement = reader.statement(
      "SELECT d.row, t.id, t.agent, t.title, d.at, d.kind, d.by_whom, d.actor_id, d.way, d.comment, "
      "d.content_hash"
      " FROM (" +
      newest("approve") + " UNION ALL " + newest("reject") +
      ") n CROSS JOIN decision d ON d.row = n.row CROSS JOIN task t ON t.row = d.task ORDER BY d.row DESC "
      "LIMIT ?2");
  Page<DecidedTask> page;
  std::int64_t last = 0;
  Cursor row = statement.query(before, limit + 1);
  while (row.next()) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Decided, {last});
      break;
    }
    last = row.integer(0);
    page.items.push_back(
        {to_text(row.id(1)),
         row.text(2),
         row.text(3),
         {row.time(4), row.text(5), row.text(6), row.text(7), row.text(8), row.text(9), row.text(10)}});
  }
  return page;
}

}  // namespace davit::store
