// What is written about tasks by those who run them. Confined to the writer thread; each function
// runs inside the writer's transaction.
//
// Each first looks and decides, then writes: what it refuses has written nothing, so a refusal needs no
// rollback.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/budgets.h"
#include "host/store/database.h"
#include "host/store/day_book.h"
#include "host/store/held_agents.h"
#include "host/store/leases.h"
#include "host/store/lines.h"
#include "host/store/moves.h"
#include "host/store/new_tasks.h"
#include "host/store/statement.h"
#include "host/store/store.h"
#include "host/store/transcripts.h"

namespace davit::store {

class TaskQueue {
 public:
  TaskQueue(Database& database, NewTasks& new_tasks, Moves& moves, Lines& lines, Approvals& approvals,
            HeldAgents& held, Leases& leases, Budgets& budgets, DayBook& day_book);
  ~TaskQueue();

  void report(Batch& batch, const std::vector<LiveReport>& reports);
  // Before recover(): of executions that run, as far as the store knows.
  void take_told(Batch& batch, const std::vector<ToldUsage>& told);
  Result<TaskState> finish(Batch& batch, const Finish& finish);
  int reap(Batch& batch);

  // From now on tasks of these agents are parked instead of queued. What was parked so for others is queued.
  void hold(Batch& batch, const std::set<std::string>& agents);

  enum class Recovery {
    Start,   // a host died: each of its running tasks counts a loss
    Reopen,  // a commit failed: its claims were never answered, nothing counts
  };
  // Ends every running execution that nobody holds a lease for and returns its task.
  int recover(Batch& batch, Recovery recovery);

 private:
  struct Statements;
  void book(Batch& batch, const TaskRow& row, std::string_view outcome, const Usage& usage);
  void create_successors(Batch& batch, const Finish& finish, const TaskRow& row);
  void end_as_lost(Batch& batch, const TaskRow& row, bool counts, std::string_view reason);

  NewTasks& new_tasks_;
  Moves& moves_;
  Lines& lines_;
  Approvals& approvals_;
  HeldAgents& held_;
  Leases& leases_;
  Budgets& budgets_;
  Transcripts transcripts_;
  DayBook& day_book_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
