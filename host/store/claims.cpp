// Tasks about one entity run one after another. While one runs, a new one is stored as blocked: queued, but
// not in the ready index. The transaction that ends the running one lets the next one in, one for each agent,
// so that no agent waits for another whose slots are taken. A new task behind one that is ready and goes
// first anyway is blocked likewise: a crowd about one entity costs the claim nothing. What is ready all the
// same (another agent's, an approved one) the claim finds busy, blocks and steps over. So:
//
//   - no two tasks of an entity run;
//   - while none of an entity runs, each agent that has queued tasks about it has one that is not blocked.
//
// The claim must cost the same with a million tasks finished, scheduled or waiting. It reads the partial
// index task_ready (agent, rank, run_at), which holds queued tasks only, one priority of one agent at a time:
//
//     SELECT row, run_at FROM task
//      WHERE state = 0 AND blocked = 0 AND agent = ? AND rank = ? AND run_at <= ?
//      ORDER BY run_at, row LIMIT ?
//
// and seeks the next priority with a second one-row query, so that it never steps over tasks scheduled for
// later. Rows of several agents are merged by priority and time. Everything else is by row number.
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
          std::string(kEntityIsBusy) +
          ", b.actor_id, b.actor_login, b.actor_role, b.links, b.payload, b.previous_result"
          " FROM task JOIN task_body b ON b.row = task.row WHERE task.row = ?1"};
  Statement block{db, "UPDATE task SET blocked = 1 WHERE row = ?1"};
  Statement unblock{db, "UPDATE task SET blocked = 0 WHERE row = ?1"};
  Statement block_if_busy{db, "UPDATE task SET blocked = " + std::string(kEntityIsBusy) + " WHERE row = ?1"};
  Statement next_blocked_agent{
      db,
      "SELECT t.agent FROM task t INDEXED BY task_entity_queued WHERE t.state = 0 AND t.entity = ?1"
      " AND t.agent > ?2 AND t.blocked = 1 AND NOT EXISTS (SELECT 1 FROM task o INDEXED BY "
      "task_entity_running"
      " WHERE o.state = 1 AND o.entity = ?1) ORDER BY t.agent LIMIT 1"};
  Statement next_blocked_due{
      db,
      "SELECT row, id FROM task INDEXED BY task_entity_queued WHERE state = 0 AND entity = ?1"
      " AND agent = ?2 AND blocked = 1 AND run_at <= ?3 ORDER BY rank, run_at, row LIMIT 1"};
  Statement next_blocked{
      db,
      "SELECT row, id FROM task INDEXED BY task_entity_queued WHERE state = 0 AND entity = ?1"
      " AND agent = ?2 AND blocked = 1 ORDER BY run_at, rank, row LIMIT 1"};
  Statement insert_execution{db,
                             "INSERT INTO execution (task, session, attempt, started_at, agent, outcome)"
                             " VALUES (?1, ?2, ?3, ?4, ?5, 'running')"};
  Statement start{
      db,
      "UPDATE task SET state = 1, execution = ?2, attempt = ?3, updated_at = ?4, hold_reason = NULL"
      " WHERE row = ?1"};
};

Claims::Claims(Database& database, Leases& leases)
    : leases_(leases), sql_(std::make_unique<Statements>(database)) {}
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

// Nothing if the task's entity is busy: then it is blocked.
std::optional<ClaimedTask> Claims::start(Batch& batch, const Candidate& candidate, Duration lease) {
  ClaimedTask task;
  {
    Cursor row = sql_->read_for_claim.query(candidate.row);
    if (!row.next()) return std::nullopt;
    if (row.integer(10) != 0) {
      sql_->block.run(candidate.row);
      return std::nullopt;
    }
    task.task_id = to_text(row.id(0));
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
    TaskBody body = read_task_body(row, 11);
    task.actor = std::move(body.actor);
    task.links = std::move(body.links);
    task.payload = std::move(body.payload);
    task.previous_result = std::move(body.previous_result);
  }
  const StoredId session = new_stored_id();
  task.session_id = to_text(session);
  task.fence.task_row = candidate.row;
  task.fence.number =
      sql_->insert_execution.insert(candidate.row, session, task.attempt, batch.now, task.agent);
  sql_->start.run(candidate.row, task.fence.number, task.attempt, batch.now);
  leases_.grant(task.fence, batch.monotonic + lease);
  batch.changes.push_back({Change::Kind::TaskChanged, task.task_id, task.agent, std::nullopt});
  return task;
}

std::vector<ClaimedTask> Claims::claim(Batch& batch, const ClaimRequest& request) {
  std::vector<ClaimedTask> claimed;
  std::vector<AgentCapacity> agents = request.agents;
  // Another round only if something was blocked instead of claimed: its place is taken by what stands behind.
  for (bool again = true; again && !sql_->db.failed();) {
    again = false;
    const int limit = request.limit - static_cast<int>(claimed.size());
    if (limit <= 0) break;
    for (const Candidate& candidate : due(agents, limit, batch.now)) {
      std::optional<ClaimedTask> task = start(batch, candidate, request.lease);
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

void Claims::block_if_busy(std::int64_t row) { sql_->block_if_busy.run(row); }

void Claims::let_next_in(Batch& batch, const std::string& entity) {
  if (entity.empty()) return;
  std::string agent;
  for (;;) {
    {
      Cursor found = sql_->next_blocked_agent.query(entity, agent);
      if (!found.next()) return;
      agent = found.text(0);
    }
    std::int64_t row = 0;
    std::string id;
    const auto take = [&](Cursor next) {
      if (!next.next()) return false;
      row = next.integer(0);
      id = to_text(next.id(1));
      return true;
    };
    if (!take(sql_->next_blocked_due.query(entity, agent, batch.now)) &&
        !take(sql_->next_blocked.query(entity, agent)))
      return;
    sql_->unblock.run(row);
    batch.changes.push_back({Change::Kind::TaskQueued, std::move(id), agent, std::nullopt});
  }
}

}  // namespace davit::store
