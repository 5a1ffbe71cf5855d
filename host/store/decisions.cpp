#include "host/store/decisions.h"

#include <algorithm>

#include "host/store/rows.h"

namespace davit::store {

struct Decisions::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement newest_open{db,
                        "SELECT id FROM task WHERE entity = ?1 AND state IN (0, 1, 2, 6)"
                        " AND (?2 = '' OR agent = ?2) ORDER BY row DESC LIMIT 1"};
  Statement newest_ended{db,
                         "SELECT id FROM task WHERE entity = ?1 AND state IN (4, 5, 6)"
                         " AND (?2 = '' OR agent = ?2) ORDER BY row DESC LIMIT 1"};
  // What agents said it is about beside its entity.
  Statement newest_open_also{db,
                             "SELECT t.id FROM task_also k JOIN task t ON t.row = k.task WHERE k.key = ?1"
                             " AND t.state IN (0, 1, 2, 6) AND (?2 = '' OR t.agent = ?2)"
                             " ORDER BY k.task DESC LIMIT 1"};
  Statement newest_ended_also{db,
                              "SELECT t.id FROM task_also k JOIN task t ON t.row = k.task WHERE k.key = ?1"
                              " AND t.state IN (4, 5, 6) AND (?2 = '' OR t.agent = ?2)"
                              " ORDER BY k.task DESC LIMIT 1"};
  Statement ask_to_cancel{db, "UPDATE task SET cancel_reason = ?2, updated_at = ?3 WHERE row = ?1"};
  // With the wait that an approval ends.
  Statement insert{db,
                   "INSERT INTO decision (task, at, kind, by_whom, actor_id, way, comment, content_hash,"
                   " asked_at, deadline, reminders, next_at)"
                   " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, a.asked_at, a.deadline, a.reminders, a.next_at"
                   " FROM (SELECT 1) LEFT JOIN approval a ON a.task = ?1 AND ?3 = 'approve'"};
};

Decisions::Decisions(Database& database, const ApprovalRules& rules, Moves& moves, Lines& lines,
                     Approvals& approvals, NewTasks& new_tasks, ChainEnds& chain_ends, Leases& leases)
    : moves_(moves),
      lines_(lines),
      approvals_(approvals),
      new_tasks_(new_tasks),
      chain_ends_(chain_ends),
      leases_(leases),
      rework_(database, rules, new_tasks),
      sql_(std::make_unique<Statements>(database)) {}
Decisions::~Decisions() = default;

namespace {

// For counters. Who uses the API may say any way of his.
std::string_view label_of(const Decision& decision) {
  if (decision.by_webhook) return "webhook";
  return decision.by.way == "cli" ? "cli" : "api";
}

Error not_found(std::string_view task_id) {
  return Error{ErrorCode::NotFound, "task " + std::string(task_id) + " does not exist"};
}

}  // namespace

Result<TaskState> Decisions::decide(Batch& batch, std::string_view task_id, const Decision& decision) {
  const std::optional<TaskRow> row = moves_.find(task_id);
  return row ? decide(batch, *row, decision) : not_found(task_id);
}

Result<TaskState> Decisions::decide_if(Batch& batch, std::string_view task_id, TaskState state,
                                       const Decision& decision) {
  const std::optional<TaskRow> row = moves_.find(task_id);
  if (!row) return not_found(task_id);
  if (row->state != state) {
    return Error{ErrorCode::Conflict,
                 "task " + std::string(task_id) + " is " + std::string(to_string(row->state)) + " by now"};
  }
  return decide(batch, *row, decision);
}

Result<TaskState> Decisions::decide_if(Batch& batch, const Chosen& task, const Decision& decision) {
  const std::optional<TaskRow> row = moves_.find(task.task_id);
  if (!row) return not_found(task.task_id);
  if (row->state != task.state || row->attempt != task.attempt) {
    return Error{ErrorCode::Conflict, "task " + task.task_id + " has changed since it was chosen: it is " +
                                          std::string(to_string(row->state)) + " by now"};
  }
  return decide(batch, *row, decision);
}

Result<TaskState> Decisions::decide(Batch& batch, const TaskRow& row, const Decision& decision) {
  const auto refuse = [&](const std::string& remedy) {
    return Error{ErrorCode::Conflict, "task " + to_text(row.id) + " is " + std::string(to_string(row.state)) +
                                          ": cannot " + std::string(to_string(decision.kind)) + " it" +
                                          remedy};
  };
  TaskState state = TaskState::Queued;
  std::string_view error;
  int attempt = row.attempt;
  int crashes = row.crashes;
  int losses = row.losses;
  std::string content;
  std::optional<TaskRow> former;  // with Retry: whose input is older
  switch (decision.kind) {
    case TaskActionKind::Cancel:
      state = TaskState::Cancelled;
      error = decision.comment.empty() ? std::string_view("cancelled") : std::string_view(decision.comment);
      if (!may_move(row.state, state)) return refuse("");
      break;
    case TaskActionKind::Retry:
      if (!can_be_retried(row.state)) {
        return refuse("; only failed, cancelled and parked tasks can be retried");
      }
      if (row.state == TaskState::Parked && moves_.holds(row.agent)) {
        return refuse(": its agent's plugin is in quarantine; davit plugins clear agent " + row.agent +
                      " ends that");
      }
      // Two of one key must not wait: that of the newer event counts.
      former = new_tasks_.waits_under_key_of(row);
      if (former && !(row.delivery && former->delivery && *former->delivery < *row.delivery)) {
        return refuse(": task " + to_text(former->id) +
                      " waits under the same key; let it run, or cancel it first");
      }
      attempt = 0;
      crashes = losses = 0;
      if (row.needs_approval && !approvals_.approval_of(row.row, approvals_.content_of(row.row)))
        state = TaskState::AwaitingApproval;
      break;
    case TaskActionKind::Reject:
      state = TaskState::Cancelled;
      error = decision.comment.empty() ? std::string_view("rejected") : std::string_view(decision.comment);
      if (row.state != TaskState::AwaitingApproval) return refuse("; it does not wait for approval");
      content = approvals_.content_of(row.row);
      // To stop something never needs more than to say so, but what was said of other content does not count.
      if (!decision.content_hash.empty())
        TRY(approvals_.check(to_text(row.id), content, decision.content_hash));
      break;
    case TaskActionKind::Approve:
      if (row.state != TaskState::AwaitingApproval) return refuse("; it does not wait for approval");
      content = approvals_.content_of(row.row);
      TRY(approvals_.check(to_text(row.id), content, decision.content_hash));
      if (const auto why = approvals_.refused_before(row.row, content, decision.by)) {
        return Error{ErrorCode::Conflict, "task " + to_text(row.id) +
                                              " waits for somebody else: an approval by " + decision.by.name +
                                              " has been found not to count (" + *why +
                                              "); to ask anew, cancel the task and retry it"};
      }
      break;
  }

  sql_->insert.run(row.row, batch.now, to_string(decision.kind), decision.by.name, decision.by.id,
                   decision.by.way, decision.comment, content);
  if (!content.empty()) batch.decided.push_back({to_string(decision.kind), label_of(decision)});
  if (row.state == TaskState::Running) {
    sql_->ask_to_cancel.run(row.row, error, batch.now);
    leases_.request_cancel(row.fence());
    batch.changes.push_back({Change::Kind::CancelRequested, to_text(row.id), row.agent, row.fence()});
    return TaskState::Running;
  }
  if (former) {
    new_tasks_.give_way(batch, *former,
                    "task " + to_text(row.id) + ", which has newer input, is tried again instead");
  }
  Stops stops = Stops::AsItsState;
  if (decision.kind == TaskActionKind::Reject) {
    const bool goes_back = !decision.comment.empty() && rework_.send_back(batch, row,
                                                                          {.comment = decision.comment,
                                                                           .by = decision.by.name,
                                                                           .actor_id = decision.by.id,
                                                                           .way = decision.by.way,
                                                                           .content_hash = content});
    stops = goes_back ? Stops::Not : Stops::Rejected;
  }
  // Who approves a task agrees to the time that was chosen for it, too.
  const WallTime run_at =
      decision.kind == TaskActionKind::Approve ? std::max(row.run_at, batch.now) : batch.now;
  state = moves_.move(batch, row,
                      {.to = state,
                       .run_at = state == TaskState::Queued ? std::optional(run_at) : std::nullopt,
                       .attempt = attempt,
                       .crashes = crashes,
                       .losses = losses,
                       .error = error,
                       .stops = stops});
  if (row.state == TaskState::Queued) lines_.let_next_in(batch, row.line);
  if (decision.kind == TaskActionKind::Retry) chain_ends_.take_back(batch, row);
  return state;
}

Decisions::Acted Decisions::act(Batch& batch, const TaskAction& action, const Person& by, WallTime said_at) {
  std::string task_id = action.task_id;
  std::string said = action.content_hash;
  const bool of_approval = action.kind == TaskActionKind::Approve || action.kind == TaskActionKind::Reject;
  if (task_id.empty() && of_approval) {
    Result<Waiting> chosen = approvals_.choose(action, said_at);
    if (!chosen.ok())
      return {std::string(to_string(action.kind)) + " refused: " + chosen.error().message, {}};
    task_id = chosen.value().task_id;
    said = chosen.value().content_hash;
  } else if (task_id.empty()) {
    // Only what can be retried, or can still be cancelled: a newer task of which neither is true is not
    // meant.
    const bool retry = action.kind == TaskActionKind::Retry;
    for (Statement* find : {retry ? &sql_->newest_ended : &sql_->newest_open,
                            retry ? &sql_->newest_ended_also : &sql_->newest_open_also}) {
      Cursor found = find->query(action.entity, action.agent);
      if (!found.next()) continue;
      task_id = to_text(found.id(0));
      break;
    }
    if (task_id.empty())
      return {(retry ? "no failed, cancelled or parked task for " : "no open task for ") + action.entity, {}};
  }
  const Result<TaskState> state = decide(batch, task_id, {action.kind, by, action.comment, said, true});
  if (!state.ok()) return {state.error().message, task_id};
  return {"task " + task_id + ": " + std::string(to_string(action.kind)) + " accepted, now " +
              std::string(to_string(state.value())),
          task_id};
}

}  // namespace davit::store
