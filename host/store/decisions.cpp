#include "host/store/decisions.h"

#include "host/base/crypto.h"
#include "host/store/rows.h"

namespace davit::store {

struct Decisions::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement still_unapproved{db,
                             "SELECT 1 FROM task t WHERE t.row = ?1 AND t.needs_approval = 1 AND NOT EXISTS"
                             " (SELECT 1 FROM decision d WHERE d.task = t.row AND d.kind = 'approve')"};
  Statement newest_open{db,
                        "SELECT id FROM task WHERE entity = ?1 AND state IN (0, 1, 2, 6)"
                        " AND (?2 = '' OR agent = ?2) ORDER BY row DESC LIMIT 1"};
  Statement newest_any{db,
                       "SELECT id FROM task WHERE entity = ?1 AND (?2 = '' OR agent = ?2)"
                       " ORDER BY row DESC LIMIT 1"};
  Statement body{db, "SELECT " + std::string(kTaskBodyColumns) + " FROM task_body b WHERE b.row = ?1"};
  Statement ask_to_cancel{db, "UPDATE task SET cancel_reason = ?2, updated_at = ?3 WHERE row = ?1"};
  Statement insert{db,
                   "INSERT INTO decision (task, at, kind, by_whom, actor_id, way, comment, content_hash)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
};

std::string content_hash(std::string_view payload, std::string_view previous_result) {
  return sha256_hex(std::string(payload) + '\n' + std::string(previous_result));
}

Decisions::Decisions(Database& database, Moves& moves, Lines& lines, Leases& leases)
    : moves_(moves), lines_(lines), leases_(leases), sql_(std::make_unique<Statements>(database)) {}
Decisions::~Decisions() = default;

namespace {

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
      attempt = 0;
      crashes = losses = 0;
      if (sql_->still_unapproved.query(row.row).next()) state = TaskState::AwaitingApproval;
      break;
    case TaskActionKind::Reject:
      state = TaskState::Cancelled;
      error = decision.comment.empty() ? std::string_view("rejected") : std::string_view(decision.comment);
      if (row.state != TaskState::AwaitingApproval) return refuse("; it does not wait for approval");
      break;
    case TaskActionKind::Approve:
      if (row.state != TaskState::AwaitingApproval) return refuse("; it does not wait for approval");
      if (!decision.content_hash.empty()) {
        Cursor found = sql_->body.query(row.row);
        if (found.next()) {
          const TaskBody body = read_task_body(found, 0);
          if (content_hash(body.payload, body.previous_result) != decision.content_hash) {
            return Error{
                ErrorCode::Conflict,
                "task " + to_text(row.id) + " has changed since it was looked at; look again and decide"};
          }
        }
      }
      break;
  }

  sql_->insert.run(row.row, batch.now, to_string(decision.kind), decision.by.name, decision.by.id,
                   decision.by.way, decision.comment, decision.content_hash);
  if (row.state == TaskState::Running) {
    sql_->ask_to_cancel.run(row.row, error, batch.now);
    leases_.request_cancel(row.fence());
    batch.changes.push_back({Change::Kind::CancelRequested, to_text(row.id), row.agent, row.fence()});
    return TaskState::Running;
  }
  state = moves_.move(batch, row,
                      {.to = state,
                       .run_at = state == TaskState::Queued ? std::optional(batch.now) : std::nullopt,
                       .attempt = attempt,
                       .crashes = crashes,
                       .losses = losses,
                       .error = error});
  if (row.state == TaskState::Queued) lines_.let_next_in(batch, row.line);
  return state;
}

std::string Decisions::act(Batch& batch, const TaskAction& action, const Person& by) {
  std::string task_id = action.task_id;
  if (task_id.empty()) {
    // A retry is about something that has ended; everything else about something open.
    Statement& newest = action.kind == TaskActionKind::Retry ? sql_->newest_any : sql_->newest_open;
    Cursor found = newest.query(action.entity, action.agent);
    if (!found.next()) return "no open task for " + action.entity;
    task_id = to_text(found.id(0));
  }
  const Result<TaskState> state =
      decide(batch, task_id, {action.kind, by, action.comment, action.content_hash});
  if (!state.ok()) return state.error().message;
  return "task " + task_id + ": " + std::string(to_string(action.kind)) + " accepted, now " +
         std::string(to_string(state.value()));
}

}  // namespace davit::store
