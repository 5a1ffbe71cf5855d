// Which task is next, and that it is taken once: of each entity no more than one runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/leases.h"
#include "host/store/store.h"

namespace davit::store {

// Of a row of `task`: does another task of its entity run?
inline constexpr const char* kEntityIsBusy =
    "EXISTS (SELECT 1 FROM task o INDEXED BY task_entity_running WHERE o.state = 1"
    " AND o.entity = task.entity AND o.row <> task.row)";

// Confined to the writer thread; each function runs inside the writer's transaction.
class Claims {
 public:
  Claims(Database& database, Leases& leases);
  ~Claims();

  std::vector<ClaimedTask> claim(Batch& batch, const ClaimRequest& request);

  // The next one about an entity, of each agent, unless one runs. To be called when one has left the queue or
  // ended.
  void let_next_in(Batch& batch, const std::string& entity);
  // When the entity of a queued task is another one now.
  void block_if_busy(std::int64_t row);

 private:
  struct Statements;
  struct Candidate {
    std::int64_t rank, run_at, row;
    std::string agent;
  };
  std::vector<Candidate> due(const std::vector<AgentCapacity>& agents, int limit, WallTime now);
  std::optional<ClaimedTask> start(Batch& batch, const Candidate& candidate, Duration lease);

  Leases& leases_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
