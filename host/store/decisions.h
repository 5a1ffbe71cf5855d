// What people decide about tasks, directly or through a webhook: cancel, retry, approve, reject.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/chain_ends.h"
#include "host/store/database.h"
#include "host/store/leases.h"
#include "host/store/lines.h"
#include "host/store/moves.h"
#include "host/store/rework.h"

namespace davit::store {

inline bool can_be_retried(TaskState state) {
  return state == TaskState::Failed || state == TaskState::Cancelled || state == TaskState::Parked;
}

struct Decision {
  TaskActionKind kind = TaskActionKind::Cancel;
  Person by;
  std::string comment;  // kept, as `by` is
  // Of what is approved or rejected, as who decides says it; what is kept is the hash of what is.
  std::string content_hash;
  bool by_webhook = false;  // for counters
};

// Confined to the writer thread; each function runs inside the writer's transaction. What it refuses has
// written nothing.
class Decisions {
 public:
  Decisions(Database& database, const ApprovalRules& rules, Moves& moves, Lines& lines, Approvals& approvals,
            NewTasks& new_tasks, ChainEnds& chain_ends, Leases& leases);
  ~Decisions();

  // Gives the state the task has then: Running if it was, because its dispatcher is only asked to end it.
  Result<TaskState> decide(Batch& batch, std::string_view task_id, const Decision& decision);
  // Likewise, but Conflict unless the task is in this state.
  Result<TaskState> decide_if(Batch& batch, std::string_view task_id, TaskState state,
                              const Decision& decision);
  // Likewise unless it is in the state and the attempt in which it was chosen.
  Result<TaskState> decide_if(Batch& batch, const Chosen& task, const Decision& decision);
  // For a webhook whose delivery came at `said_at`: the task by id; by entity the one that waits for
  // approval, or for other actions the newest open one. Where no task has the entity that may be meant, one
  // is that has it among its further keys.
  struct Acted {
    std::string sentence;  // what became of it
    std::string task_id;   // which one was meant; empty if there is none
  };
  Acted act(Batch& batch, const TaskAction& action, const Person& by, WallTime said_at);

 private:
  struct Statements;
  Result<TaskState> decide(Batch& batch, const TaskRow& row, const Decision& decision);

  Moves& moves_;
  Lines& lines_;
  Approvals& approvals_;
  NewTasks& new_tasks_;
  ChainEnds& chain_ends_;
  Leases& leases_;
  Rework rework_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
