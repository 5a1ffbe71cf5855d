// The claim must cost the same with a million tasks finished, scheduled or waiting. It reads the partial
// index task_ready (agent, rank, run_at), which holds queued tasks only, one priority of one agent at a time:
//
//     SELECT row, run_at FROM task
//      WHERE state = 0 AND blocked = 0 AND agent = ? AND rank = ? AND run_at <= ?
//      ORDER BY run_at, row LIMIT ?
//
// and seeks the next priority with a second one-row query, so that it never steps over tasks scheduled for
// later. Rows of several agents are merged by priority and time. Everything else is by row number. What is
// ready although its line is busy is found when its row is read.
#include "host/store/claims.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {

struct Claims::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement next_rank{db,
                      "SELECT rank FROM task INDEXED BY task_ready"
                      " WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank > ?2 ORDER BY rank LIMIT 1"};
  Statement ready{db,
                  "SELECT row, run_at FROM task INDEXED BY task_ready"
                  " WHERE state = 0 AND blocked = 0 AND agent = ?1 AND rank = ?2 AND run_at <= ?3"
                  " ORDER BY run_at, row LIMIT ?4"};
  Statement read_for_claim{
      db,
      "SELECT task.id, task.attempt, task.max_retries, task.crashes, task.chain_depth, task.created_at,"
      " task.task_type, task.source, task.title, task.entity, " +
          std::string(kLineIsBusy) + ", task.needs_approval, task.root, " + kTaskBodyColumns +
          " FROM task JOIN task_body b ON b.row = task.row WHERE task.row = ?1"};
  Statement insert_execution{db,
                             "INSERT INTO execution (task, session, attempt, started_at, agent, outcome,"
                             " reserved_micro_usd) VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6)"};
};

Claims::Claims(Database& database, Lines& lines, Moves& moves, Approvals& approvals, Leases& leases,
               const Pauses& pauses, Budgets& budgets)
    : lines_(lines),
      moves_(moves),
      approvals_(approvals),
      leases_(leases),
      pauses_(pauses),
      budgets_(budgets),
      sql_(std::make_unique<Statements>(database)) {}
Claims::~Claims() = default;

// Up to `limit` due tasks of these agents, in the order in which they are to run.
std::vector<Claims::Candidate> Claims::due(const std::vector<AgentCapacity>& agents, int limit,
                                           WallTime now) {
  std::vector<Candidate> candidates;
  for (const AgentCapacity& capacity : agents) {
    int wanted = std::min(capacity.free_slots, limit);
    std::int64_t rank = std::numeric_limits<std::int64_t>::min();
    while (wanted > 0) {
      Cursor next = sql_->next_rank.query(capacity.agent, rank);
      if (!next.next()) break;
      rank = next.integer(0);
      Cursor ready = sql_->ready.query(capacity.agent, rank, now, wanted);
      while (ready.next()) {
        candidates.push_back({rank, ready.integer(1), ready.integer(0), capacity.agent});
        --wanted;
      }
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.rank, a.run_at, a.row) < std::tie(b.rank, b.run_at, b.row);
  });
  if (candidates.size() > static_cast<std::size_t>(limit)) candidates.resize(static_cast<std::size_t>(limit));
  return candidates;
}

// What was approved was another content: it waits for a person again.
void Claims::ask_again(Batch& batch, std::int64_t number, std::string_view content_hash) {
  const std::optional<TaskRow> row = moves_.find(number);
  if (!row) return;
  approvals_.note_changed(number, content_hash, batch.now);
  batch.decided.push_back({"changed", "claim"});
  moves_.move(batch, *row,
              {.to = TaskState::AwaitingApproval,
               .attempt = row->attempt,
               .crashes = row->crashes,
               .losses = row->losses,
               .error = "its content is not what was approved"});
  lines_.let_next_in(batch, row->line);
}

// Whether its budgets have room for a session of the task. If not, the task or its agent is kept out of the
// way.
bool Claims::is_affordable(Batch& batch, std::int64_t number, ClaimedTask& task,
                           std::vector<AgentCapacity>& agents) {
  const Budgets::Verdict verdict = budgets_.ask(
      {number, task.agent, task.source, task.actor ? std::string_view(task.actor->id) : std::string_view()},
      batch.now);
  using enum Budgets::Verdict::Kind;
  if (verdict.kind == Go) {
    task.budget_micro_usd = verdict.share;
    return true;
  }
  if (verdict.whose == Budgets::Verdict::Whose::Agent) {
    std::erase_if(agents, [&](const AgentCapacity& capacity) { return capacity.agent == task.agent; });
    return false;
  }
  const std::optional<TaskRow> row = moves_.find(number);
  if (!row) return false;
  if (verdict.kind == InFlight || verdict.whose == Budgets::Verdict::Whose::Actor) {
    budgets_.hold(number, verdict, batch.now);
    batch.changes.push_back(
        {Change::Kind::TaskChanged, task.task_id, task.agent, std::nullopt, TaskState::Queued});
    lines_.let_next_in(batch, row->line);
    return false;
  }
  moves_.move(batch, *row,
              {.to = TaskState::Parked,
               .attempt = row->attempt,
               .crashes = row->crashes,
               .losses = row->losses,
               .error = verdict.reason + "; raise it and retry the task by hand"});
  lines_.let_next_in(batch, row->line);
  return false;
}

// Nothing if the task's line is busy: then it is blocked; if nobody approved what it would run; or if there
// is no money for it.
std::optional<ClaimedTask> Claims::start(Batch& batch, const Candidate& candidate, Duration lease,
                                         std::vector<AgentCapacity>& agents) {
  ClaimedTask task;
  bool needs_approval = false;
  {
    Cursor row = sql_->read_for_claim.query(candidate.row);
    if (!row.next()) return std::nullopt;
    if (row.integer(10) != 0) {
      lines_.block(candidate.row);
      return std::nullopt;
    }
    task.task_id = to_text(row.id(0));
    task.root_id = row.is_null(12) ? task.task_id : to_text(row.id(12));
    task.agent = candidate.agent;
    task.attempt = static_cast<int>(row.integer(1)) + 1;
    task.max_retries = static_cast<int>(row.integer(2));
    task.crashes = static_cast<int>(row.integer(3));
    task.chain_depth = static_cast<int>(row.integer(4));
    task.created_at = row.time(5);
    task.task_type = row.text(6);
    task.source = row.text(7);
    task.title = row.text(8);
    task.entity = row.text(9);
    needs_approval = row.integer(11) != 0;
    TaskBody body = read_task_body(row, 13);
    task.actor = std::move(body.actor);
    task.links = std::move(body.links);
    task.payload = std::move(body.payload);
    task.previous_result = std::move(body.previous_result);
    task.chain = std::move(body.chain);
  }
  if (needs_approval) {
    const std::string hash = content_hash({.agent = task.agent,
                                           .task_type = task.task_type,
                                           .source = task.source,
                                           .title = task.title,
                                           .entity = task.entity,
                                           .actor = task.actor ? &*task.actor : nullptr,
                                           .links = task.links,
                                           .payload = task.payload,
                                           .previous_result = task.previous_result});
    task.approval = approvals_.approval_of(candidate.row, hash);
    if (!task.approval) {
      ask_again(batch, candidate.row, hash);
      return std::nullopt;
    }
  }
  if (!is_affordable(batch, candidate.row, task, agents)) return std::nullopt;
  const std::int64_t share = task.budget_micro_usd.value_or(0);
  const StoredId session = new_stored_id();
  task.session_id = to_text(session);
  task.fence.task_row = candidate.row;
  task.fence.number =
      sql_->insert_execution.insert(candidate.row, session, task.attempt, batch.now, task.agent, share);
  if (share > 0) {
    budgets_.begin(task.fence.number,
                   {candidate.row, task.agent, task.source,
                    task.actor ? std::string_view(task.actor->id) : std::string_view()},
                   share, batch.now);
  }
  moves_.begin(candidate.row, task.fence.number, task.attempt, batch.now);
  leases_.grant(task.fence, batch.monotonic + lease);
  batch.changes.push_back({Change::Kind::TaskChanged, task.task_id, task.agent, std::nullopt,
                           TaskState::Running, task.session_id});
  return task;
}

std::vector<ClaimedTask> Claims::claim(Batch& batch, const ClaimRequest& request) {
  std::vector<ClaimedTask> claimed;
  // Who may have nothing is not asked for, so what waits for him costs nothing however much it is.
  std::vector<AgentCapacity> agents;
  for (const AgentCapacity& capacity : request.agents) {
    if (pauses_.of(capacity.agent, batch.now) == nullptr &&
        budgets_.ask(capacity.agent, batch.now).kind == Budgets::Verdict::Kind::Go)
      agents.push_back(capacity);
  }
  // Another round only if something was blocked instead of claimed: its place is taken by what stands behind.
  for (bool again = true; again && !sql_->db.failed();) {
    again = false;
    const int limit = request.limit - static_cast<int>(claimed.size());
    if (limit <= 0) break;
    for (const Candidate& candidate : due(agents, limit, batch.now)) {
      if (std::none_of(agents.begin(), agents.end(),
                       [&](const AgentCapacity& capacity) { return capacity.agent == candidate.agent; }))
        continue;
      std::optional<ClaimedTask> task = start(batch, candidate, request.lease, agents);
      if (!task) {
        again = true;
        continue;
      }
      for (AgentCapacity& capacity : agents)
        if (capacity.agent == candidate.agent) --capacity.free_slots;
      claimed.push_back(std::move(*task));
    }
  }
  return claimed;
}

}  // namespace davit::store
