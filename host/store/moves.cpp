#include "host/store/moves.h"

#include <sqlite3.h>

#include "host/base/text.h"
#include "host/store/lines.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

constexpr std::size_t kMaxError = 2'000;  // the execution keeps all of it

// Empty: it does not.
std::string_view how_it_stops(const Move& move) {
  const bool badly =
      move.to == TaskState::Failed || move.to == TaskState::Cancelled || move.to == TaskState::Parked;
  if (!badly || move.stops == Stops::Not) return {};
  if (move.stops == Stops::Rejected) return kStoppedRejected;
  if (move.stops == Stops::AtDeadline) return kStoppedAtDeadline;
  if (move.to == TaskState::Failed) return kStoppedFailed;
  return move.to == TaskState::Parked ? kStoppedParked : kStoppedCancelled;
}

}  // namespace

struct Moves::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement row_of_id{db, "SELECT row FROM task WHERE id = ?1"};
  Statement find{
      db,
      "SELECT t.id, t.state, t.agent, t.execution, t.attempt, t.crashes, t.losses, t.chain_depth, t.root,"
      " t.delivery, t.entity, t.line, t.cancel_reason, t.key, t.needs_approval, t.rework, t.parent,"
      " t.task_type, t.source, e.started_at, e.input_tokens, e.output_tokens, e.cache_read_tokens,"
      " e.cache_write_tokens, e.cost_micro_usd, e.model, e.models, t.run_at, e.cost_is_estimate, t.error"
      " FROM task t LEFT JOIN execution e ON e.row = t.execution WHERE t.row = ?1"};

  Statement move{
      db,
      "UPDATE task SET state = ?2, updated_at = ?3, finished_at = ?4, run_at = coalesce(?5, run_at),"
      " attempt = ?6, crashes = ?7, losses = ?8, error = ?9, cancel_reason = NULL, hold = ?10, hold_reason = "
      "NULL,"
      " blocked = ?2 = 0 AND " +
          std::string(kLineIsBusy) + " WHERE row = ?1"};
  Statement begin{db,
                  "UPDATE task SET state = 1, execution = ?2, attempt = ?3, updated_at = ?4, hold = 0,"
                  " hold_reason = NULL WHERE row = ?1"};
  // Its back-off is over then: other bytes will try it.
  Statement hold_back{db,
                      "UPDATE task SET state = 6, blocked = 0, run_at = iif(hold = 1, ?3, run_at),"
                      " hold = 0, hold_reason = ?2 WHERE row = ?1 AND state = 0"};
  Statement let_go{db, "UPDATE task SET state = 0, hold_reason = NULL, updated_at = ?2, blocked = " +
                           std::string(kLineIsBusy) + " WHERE row = ?1 AND state = 6"};
};

Moves::Moves(Database& database, Approvals& approvals, const HeldAgents& held, TaskIndex& index,
             ChainSums& chain_sums)
    : held_(held),
      approvals_(approvals),
      index_(index),
      chain_sums_(chain_sums),
      sql_(std::make_unique<Statements>(database)) {}
Moves::~Moves() = default;

std::optional<TaskRow> Moves::find(std::int64_t number) {
  Cursor found = sql_->find.query(number);
  if (!found.next()) return std::nullopt;
  TaskRow row;
  row.row = number;
  row.id = found.id(0);
  row.state = task_state_of(found.integer(1));
  row.agent = found.text(2);
  row.execution = found.integer(3);
  row.attempt = static_cast<int>(found.integer(4));
  row.crashes = static_cast<int>(found.integer(5));
  row.losses = static_cast<int>(found.integer(6));
  row.chain_depth = static_cast<int>(found.integer(7));
  row.root = found.is_null(8) ? row.id : found.id(8);
  if (!found.is_null(9)) row.delivery = found.integer(9);
  row.entity = found.text(10);
  row.line = found.text(11);
  if (!found.is_null(12)) row.cancel_reason = found.text(12);
  row.key = found.text(13);
  row.needs_approval = found.integer(14) != 0;
  row.rework = static_cast<int>(found.integer(15));
  row.parent = found.id(16);
  row.task_type = found.text(17);
  row.source = found.text(18);
  row.started_at = found.time(19);
  row.reported.input_tokens = found.integer(20);
  row.reported.output_tokens = found.integer(21);
  row.reported.cache_read_tokens = found.integer(22);
  row.reported.cache_write_tokens = found.integer(23);
  row.reported.cost_micro_usd = found.integer(24);
  row.reported.model = found.text(25);
  models_from_json(found.view(26), row.reported);
  row.reported.cost_is_estimate = found.integer(28) != 0;
  row.run_at = found.time(27);
  row.error = found.text(29);
  return row;
}

std::optional<TaskRow> Moves::find(std::string_view task_id) {
  const std::optional<StoredId> id = to_stored_id(task_id);
  if (!id) return std::nullopt;
  std::int64_t number = 0;
  {
    Cursor found = sql_->row_of_id.query(*id);
    if (!found.next()) return std::nullopt;
    number = found.integer(0);
  }
  return find(number);
}

TaskState Moves::move(Batch& batch, const TaskRow& row, const Move& move) {
  if (!may_move(row.state, move.to)) {
    sql_->db.note_failure({SQLITE_ERROR, false,
                           "a task that is " + std::string(to_string(row.state)) + " cannot become " +
                               std::string(to_string(move.to))});
    return row.state;
  }
  const std::string_view error = shortened(move.error, kMaxError);
  const bool says_otherwise = error != row.error;
  if (says_otherwise) index_.before_change(row.row);
  if (row.state == TaskState::Failed) chain_sums_.goes_on(row.row);
  sql_->move.run(row.row, code_of(move.to), batch.now,
                 is_final(move.to) ? std::optional(batch.now) : std::nullopt, move.run_at, move.attempt,
                 move.crashes, move.losses, if_any(error), move.backs_off ? 1 : 0);
  if (says_otherwise) index_.after_change(row.row);
  if (move.to == TaskState::Completed || move.to == TaskState::Failed) chain_sums_.ends(row.row);
  if (const std::string_view how = how_it_stops(move); !how.empty())
    batch.stopped.push_back(
        {row.row, how, std::string(error), row.state == TaskState::Running});
  if (row.state == TaskState::AwaitingApproval) approvals_.end(row.row);
  if (move.to == TaskState::AwaitingApproval) {
    move.resumes ? approvals_.resume(row.row, batch.now) : approvals_.ask(row.row, batch.now);
    batch.changes.push_back(
        {Change::Kind::ApprovalAsked, to_text(row.id), row.agent, std::nullopt, move.to});
  }
  const TaskState state = move.to == TaskState::Queued ? admit(row.row, row.agent, batch.now) : move.to;
  batch.changes.push_back({state == TaskState::Queued ? Change::Kind::TaskQueued : Change::Kind::TaskChanged,
                           to_text(row.id), row.agent, std::nullopt, state});
  return state;
}

void Moves::begin(std::int64_t row, std::int64_t execution, int attempt, WallTime now) {
  sql_->begin.run(row, execution, attempt, now);
}

TaskState Moves::admit(std::int64_t row, const std::string& agent, WallTime now) {
  if (!holds(agent)) return TaskState::Queued;
  hold_back(row, now);
  return TaskState::Parked;
}

void Moves::hold_back(std::int64_t row, WallTime now) { sql_->hold_back.run(row, kHeldReason, now); }
void Moves::let_go(std::int64_t row, WallTime now) { sql_->let_go.run(row, now); }

}  // namespace davit::store
