// Lists go from the newest row to older ones, and a cursor has the row number where the page before ended: a
// page costs the same wherever it is, and rows that arrive meanwhile shift nothing.
//
// Depths and times of the queue are read from the partial index of queued tasks by seeking from one (agent,
// rank) to the next, so they cost by agents and priorities, not by tasks.
#include "host/store/task_list.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <variant>

#include "host/store/approved_before.h"
#include "host/store/budgets.h"
#include "host/store/chains.h"
#include "host/store/cursor.h"
#include "host/store/deliveries.h"
#include "host/store/pauses.h"
#include "host/store/rows.h"
#include "host/store/task_rows.h"

namespace davit::store {
namespace {

constexpr int kMaxPage = 500;

Result<int> read_limit(int limit) {
  if (limit < 1 || limit > kMaxPage) {
    return Error{ErrorCode::InvalidInput, "limit: " + std::to_string(limit) + " is not in 1 to 500"};
  }
  return limit;
}

// A WHERE clause that grows by the filters in use, with its values.
struct Conditions {
  std::string sql;
  std::vector<std::variant<std::int64_t, std::string>> values;

  void add(std::string_view condition, std::variant<std::int64_t, std::string> value) {
    sql += sql.empty() ? " WHERE " : " AND ";
    sql += condition;
    values.push_back(std::move(value));
  }
  Cursor query(Statement& statement) const {
    if (statement.prepare()) {
      int index = 0;
      for (const auto& value : values) {
        ++index;
        std::visit([&](const auto& bound) { statement.bind(index, bound, Statement::Lifetime::Copied); },
                   value);
      }
    }
    return statement.query();
  }
};

// Calls `visit(agent, rank)` for each pair that has a queued task.
template <typename Visit>
void each_ready_queue(Reader& reader, Visit visit) {
  Statement& next_agent = reader.statement(
      "SELECT agent FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent > ?1 ORDER BY "
      "agent LIMIT 1");
  Statement& next_rank = reader.statement(
      "SELECT rank FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank > "
      "?2 ORDER BY "
      "rank LIMIT 1");
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

// Says of a queued task whose turn has not come which one it waits for: the one of its line that runs, or the
// one of its agent that goes first.
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

}  // namespace

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
  if (page.next_cursor.empty() && work.stopped_at > 0)
    page.next_cursor = cursor_to(List::Tasks, {work.stopped_at + 1});
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
Result<Page<std::string>> list_waiting(Reader& reader, std::string_view agent, int wanted, std::string_view cursor) {
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
    return std::string("SELECT * FROM (SELECT row FROM decision INDEXED BY decision_kind WHERE kind = '") + kind +
           "' AND row < ?1 ORDER BY row DESC LIMIT ?2)";
  };
  Statement& statement = reader.statement(
      "SELECT d.row, t.id, t.agent, t.title, d.at, d.kind, d.by_whom, d.actor_id, d.way, d.comment, d.content_hash"
      " FROM (" + newest("approve") + " UNION ALL " + newest("reject") +
      ") n CROSS JOIN decision d ON d.row = n.row CROSS JOIN task t ON t.row = d.task ORDER BY d.row DESC LIMIT ?2");
  Page<DecidedTask> page;
  std::int64_t last = 0;
  Cursor row = statement.query(before, limit + 1);
  while (row.next()) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Decided, {last});
      break;
    }
    last = row.integer(0);
    page.items.push_back({to_text(row.id(1)), row.text(2), row.text(3),
                          {row.time(4), row.text(5), row.text(6), row.text(7), row.text(8), row.text(9), row.text(10)}});
  }
  return page;
}

Result<TaskDetail> read_task(Reader& reader, std::string_view task_id, const BudgetLimits& limits,
                             WallTime now) {
  const Error missing{ErrorCode::NotFound, "task " + std::string(task_id) + " does not exist"};
  const std::optional<StoredId> id = to_stored_id(task_id);
  if (!id) return missing;
  TaskDetail detail;
  std::int64_t number = 0;
  {
    Cursor row = reader
                     .statement(std::string("SELECT ") + kTaskSummaryColumns +
                                " FROM task t LEFT JOIN execution e ON e.row = t.execution WHERE t.id = ?1")
                     .query(*id);
    if (!row.next()) return missing;
    number = row.integer(0);
    detail.task = read_task_summary(row);
  }
  tell_pauses(read_pauses(reader, now), detail.task);
  tell_budgets(read_budgets(reader, limits, now), now, detail.task);
  tell_line(reader, detail.task);
  {
    Cursor row = reader
                     .statement(std::string("SELECT ") + kTaskBodyColumns +
                                ", d.id, r.output, t.rework FROM task t JOIN task_body b ON b.row = t.row"
                                " LEFT JOIN delivery d ON d.row = t.delivery"
                                " LEFT JOIN execution_result r ON r.row = t.execution WHERE t.row = ?1")
                     .query(number);
    if (row.next()) {
      TaskBody body = read_task_body(row, 0);
      detail.actor = std::move(body.actor);
      detail.links = std::move(body.links);
      detail.payload = std::move(body.payload);
      detail.previous_result = std::move(body.previous_result);
      detail.chain.agents = std::move(body.chain);
      detail.delivery_id = to_text(row.id(kTaskBodyWidth));
      if (!row.is_null(kTaskBodyWidth + 1)) detail.result = row.text(kTaskBodyWidth + 1);
      detail.rework = static_cast<int>(row.integer(kTaskBodyWidth + 2));
    }
  }
  for (Cursor also = reader.statement("SELECT key FROM task_also WHERE task = ?1 ORDER BY key").query(number);
       also.next();)
    detail.also.push_back(also.text(0));
  Cursor row =
      reader
          .statement(std::string("SELECT ") + kExecutionColumns +
                     " FROM execution e LEFT JOIN execution_result r ON r.row = e.row WHERE e.task = ?1"
                     " ORDER BY e.row")
          .query(number);
  while (row.next()) detail.executions.push_back(read_execution(row));
  detail.chain.agents.push_back(detail.task.agent);
  read_chain(reader, *to_stored_id(detail.task.root_id), detail.chain);
  const auto content = [&] {
    return content_hash({.agent = detail.task.agent,
                         .task_type = detail.task.task_type,
                         .source = detail.task.source,
                         .title = detail.task.title,
                         .entity = detail.task.entity,
                         .actor = detail.actor ? &*detail.actor : nullptr,
                         .links = detail.links,
                         .payload = detail.payload,
                         .previous_result = detail.previous_result});
  };
  if (detail.task.state == TaskState::AwaitingApproval) {
    Cursor waits =
        reader.statement("SELECT asked_at, deadline, next_at, reminders FROM approval WHERE task = ?1")
            .query(number);
    if (waits.next()) {
      AwaitedApproval& approval = detail.approval.emplace();
      approval.content_hash = content();
      approval.asked_at = waits.time(0);
      if (!waits.is_null(1)) approval.deadline = waits.time(1);
      if (!waits.is_null(2)) approval.next_at = waits.time(2);
      approval.reminders = static_cast<int>(waits.integer(3));
    }
  }
  Cursor decided = reader
                       .statement(
                           "SELECT at, kind, by_whom, actor_id, way, comment, content_hash FROM decision"
                           " WHERE task = ?1 ORDER BY row")
                       .query(number);
  while (decided.next()) {
    detail.decisions.push_back({decided.time(0), decided.text(1), decided.text(2), decided.text(3),
                                decided.text(4), decided.text(5), decided.text(6)});
  }
  const bool is_decided = std::any_of(detail.decisions.begin(), detail.decisions.end(), [](const TaskDecision& one) {
    return one.kind == "approve" || one.kind == "reject";
  });
  if (detail.approval || is_decided)
    detail.approved_before = read_approved_before(
        reader, {.row = number,
                 .agent = detail.task.agent,
                 .entity = detail.task.entity,
                 .root_id = detail.task.root_id,
                 .content_hash = detail.approval ? detail.approval->content_hash : content(),
                 .is_waiting = detail.approval.has_value()});
  return detail;
}

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
      "= ?2 ORDER BY "
      "run_at LIMIT 1");
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
      "= ?2 AND run_at "
      "> ?3"
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

namespace {

// The rows of a webhook, of a verdict or of both, from the newest before `before` on, `most` of them: merged
// of what the index has of each pair.
std::vector<std::int64_t> delivery_rows(Reader& reader, const Store::DeliveryFilter& filter,
                                        std::int64_t before, std::size_t most) {
  std::vector<std::string> webhooks;
  if (!filter.webhook.empty()) {
    webhooks.push_back(filter.webhook);
  } else {
    Statement& next = reader.statement(
        "SELECT webhook FROM delivery INDEXED BY delivery_webhook WHERE webhook > ?1 ORDER BY webhook LIMIT "
        "1");
    for (std::string last;;) {
      Cursor row = next.query(last);
      if (!row.next()) break;
      last = row.text(0);
      webhooks.push_back(last);
    }
  }
  using enum Verdict;
  std::vector<Verdict> verdicts{Queued, Ignored, Error, Deferred, Parked};
  if (filter.verdict) verdicts = {*filter.verdict};
  Statement& newest = reader.statement(
      "SELECT row FROM delivery INDEXED BY delivery_webhook WHERE webhook = ?1 AND verdict = ?2 AND row < ?3"
      " ORDER BY row DESC LIMIT ?4");
  std::vector<std::int64_t> rows;
  for (const std::string& webhook : webhooks) {
    for (const Verdict verdict : verdicts) {
      Cursor row = newest.query(webhook, code_of(verdict), before, static_cast<std::int64_t>(most));
      while (row.next()) rows.push_back(row.integer(0));
    }
  }
  std::sort(rows.begin(), rows.end(), std::greater<>());
  rows.resize(std::min(rows.size(), most));
  return rows;
}

}  // namespace

Result<Page<DeliverySummary>> list_deliveries(Reader& reader, const Store::DeliveryFilter& filter) {
  const std::int64_t before = TRY(row_before(List::Deliveries, filter.cursor));
  const int limit = TRY(read_limit(filter.limit));
  if (filter.link.empty() && (!filter.webhook.empty() || filter.verdict)) {
    std::vector<std::int64_t> rows =
        delivery_rows(reader, filter, before, static_cast<std::size_t>(limit) + 1);
    Page<DeliverySummary> page;
    if (rows.size() > static_cast<std::size_t>(limit)) {
      rows.pop_back();
      page.next_cursor = cursor_to(List::Deliveries, {rows.back()});
    }
    Statement& one = reader.statement(std::string("SELECT ") + kDeliverySummaryColumns +
                                      " FROM delivery d WHERE d.row = ?1");
    for (const std::int64_t number : rows) {
      Cursor row = one.query(number);
      if (row.next()) page.items.push_back(read_delivery_summary(row));
    }
    return page;
  }
  Conditions where;
  where.add("d.row < ?", before);
  if (!filter.webhook.empty()) where.add("d.webhook = ?", filter.webhook);
  if (!filter.link.empty())
    where.add("d.row IN (SELECT delivery FROM delivery_link WHERE key = ?)", filter.link);
  if (filter.verdict) where.add("d.verdict = ?", code_of(*filter.verdict));
  Statement& statement =
      reader.statement(std::string("SELECT ") + kDeliverySummaryColumns + " FROM delivery d" + where.sql +
                       " ORDER BY d.row DESC LIMIT " + std::to_string(limit + 1));
  Page<DeliverySummary> page;
  std::int64_t last = 0;
  Cursor row = where.query(statement);
  while (row.next()) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Deliveries, {last});
      break;
    }
    last = row.integer(0);
    page.items.push_back(read_delivery_summary(row));
  }
  return page;
}

Result<DeliveryDetail> read_delivery(Reader& reader, std::string_view delivery_id) {
  const Error missing{ErrorCode::NotFound,
                      "delivery " + std::string(delivery_id) + " does not exist, or is not kept any more"};
  const std::optional<StoredId> id = to_stored_id(delivery_id);
  if (!id) return missing;
  DeliveryDetail detail;
  std::int64_t number = 0;
  {
    Cursor row =
        reader
            .statement(std::string("SELECT ") + kDeliverySummaryColumns + " FROM delivery d WHERE d.id = ?1")
            .query(*id);
    if (!row.next()) return missing;
    number = row.integer(0);
    detail.delivery = read_delivery_summary(row);
    detail.plugin_hash = row.text(14);
  }
  Cursor row = reader
                   .statement(
                       "SELECT method, path, query, headers, body, timings, details, secret_number, links,"
                       " plugin_version, replayed_by FROM delivery_body WHERE row = ?1")
                   .query(number);
  if (row.next()) {
    detail.method = row.text(0);
    detail.path = row.text(1);
    detail.query = row.text(2);
    detail.headers = row.text(3);
    detail.body = row.text(4);
    detail.timings = row.text(5);
    detail.details = row.text(6);
    if (!row.is_null(7)) detail.secret_number = static_cast<int>(row.integer(7));
    detail.links = links_from_json(row.view(8));
    detail.plugin_version = row.text(9);
    detail.replayed_by = row.text(10);
  }
  return detail;
}

Result<DeferredDelivery> read_delivery_to_run(Reader& reader, std::string_view delivery_id) {
  const Error missing{ErrorCode::NotFound,
                      "delivery " + std::string(delivery_id) + " does not exist, or is not kept any more"};
  const std::optional<StoredId> id = to_stored_id(delivery_id);
  if (!id) return missing;
  {
    Cursor row = reader
                     .statement(std::string("SELECT ") + kDeferredColumns +
                                " FROM delivery d JOIN delivery_body b ON b.row = d.row WHERE d.id = ?1")
                     .query(*id);
    if (row.next()) return read_deferred(row);
  }
  if (!reader.statement("SELECT 1 FROM delivery WHERE id = ?1").query(*id).next()) return missing;
  return Error{ErrorCode::NotFound, "the body of delivery " + std::string(delivery_id) +
                                        " is not kept any more; it cannot be run again"};
}

Result<std::vector<DeferredDelivery>> read_due_deferred(Reader& reader, WallTime now, int limit) {
  std::vector<DeferredDelivery> due;
  Cursor row =
      reader
          .statement(std::string("SELECT ") + kDeferredColumns +
                     " FROM delivery d JOIN delivery_body b ON b.row = d.row"
                     " WHERE d.due_at IS NOT NULL AND d.due_at <= ?1 ORDER BY d.due_at, d.row LIMIT ?2")
          .query(now, limit);
  while (row.next()) due.push_back(read_deferred(row));
  return due;
}

Result<std::optional<WallTime>> read_next_deferred_at(Reader& reader) {
  Cursor row =
      reader
          .statement(
              "SELECT due_at FROM delivery WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT 1")
          .query(kNotDue);
  if (!row.next()) return std::optional<WallTime>();
  return std::optional(row.time(0));
}

}  // namespace davit::store
