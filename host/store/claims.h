// Which task is next, and that it is taken once: of each line no more than one runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/budgets.h"
#include "host/store/database.h"
#include "host/store/leases.h"
#include "host/store/lines.h"
#include "host/store/moves.h"
#include "host/store/pauses.h"
#include "host/store/store.h"

namespace davit::store {

// Confined to the writer thread; each function runs inside the writer's transaction.
class Claims {
 public:
  Claims(Database& database, Lines& lines, Moves& moves, Approvals& approvals, Leases& leases,
         const Pauses& pauses, Budgets& budgets);
  ~Claims();

  // Nothing of agents that are paused or whose budget is spent or set aside.
  std::vector<ClaimedTask> claim(Batch& batch, const ClaimRequest& request);

 private:
  struct Statements;
  struct Candidate {
    std::int64_t rank, run_at, row;
    std::string agent;
  };
  std::vector<Candidate> due(const std::vector<AgentCapacity>& agents, int limit, WallTime now);
  // Nothing if it cannot begin. Takes its agent out of `agents` if that may have no task at all.
  std::optional<ClaimedTask> start(Batch& batch, const Candidate& candidate, Duration lease,
                                   std::vector<AgentCapacity>& agents);
  bool is_affordable(Batch& batch, std::int64_t row, ClaimedTask& task, std::vector<AgentCapacity>& agents);
  void ask_again(Batch& batch, std::int64_t row, std::string_view content_hash);

  Lines& lines_;
  Moves& moves_;
  Approvals& approvals_;
  Leases& leases_;
  const Pauses& pauses_;
  Budgets& budgets_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
