// All that is shown of one task.
#include <algorithm>

#include "host/store/approved_before.h"
#include "host/store/budgets.h"
#include "host/store/chains.h"
#include "host/store/pauses.h"
#include "host/store/rows.h"
#include "host/store/task_list.h"

namespace davit::store {

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
  const bool is_decided =
      std::any_of(detail.decisions.begin(), detail.decisions.end(),
                  [](const TaskDecision& one) { return one.kind == "approve" || one.kind == "reject"; });
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

}  // namespace davit::store
