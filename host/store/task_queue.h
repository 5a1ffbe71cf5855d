// All writes about tasks. Confined to the writer thread; each function runs inside the writer's transaction.
//
// Each first looks and decides, then writes: what it refuses has written nothing, so a refusal needs no
// rollback.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/batch.h"
#include "host/store/claims.h"
#include "host/store/database.h"
#include "host/store/leases.h"
#include "host/store/statement.h"
#include "host/store/store.h"

namespace davit::store {

// Where a new task comes from.
struct Origin {
  std::string_view source;
  const Actor* actor = nullptr;              // may be null
  const std::vector<Link>* links = nullptr;  // may be null
  std::string_view entity;                   // unless the task names one
  std::optional<std::int64_t> delivery;      // row
  StoredId parent, root;
  int chain_depth = 1;
  std::string_view previous_result;  // empty: none
  bool awaits_approval = false;
  bool entity_is_key = false;  // a task without key of its own has its entity's: it is an event's
};

// InvalidInput with a sentence if it cannot be stored.
Result<> check_new_task(const NewTask& task);

class TaskQueue {
 public:
  // `held` are the agents of hold(); they outlive a connection.
  TaskQueue(Database& database, Claims& claims, Leases& leases, std::set<std::string>& held);
  ~TaskQueue();

  // Gives the id of the task, or of the queued one it was merged into. `task` has passed check_new_task().
  std::string create(Batch& batch, const NewTask& task, const Origin& origin);
  void report(const std::vector<LiveReport>& reports, WallTime now);
  Result<TaskState> finish(Batch& batch, const Finish& finish);
  int reap(Batch& batch, int max_crashes);

  // From now on tasks of these agents are parked instead of queued. What was parked so for others is queued.
  void hold(Batch& batch, const std::set<std::string>& agents);

  enum class Recovery {
    Start,   // a host died: each of its running tasks counts a crash and is parked after the third
    Reopen,  // a commit failed: its claims were never answered, nothing counts
  };
  // Ends every running execution that nobody holds a lease for and returns its task.
  int recover(Batch& batch, Recovery recovery);

  // By hand. `by` and `comment` are kept.
  struct Decision {
    TaskActionKind kind = TaskActionKind::Cancel;
    std::string by, comment, content_hash;
  };
  Result<TaskState> decide(Batch& batch, std::string_view task_id, const Decision& decision);
  // For a webhook: the task by id, or the newest open one by entity. One sentence about what became of it.
  std::string act(Batch& batch, const TaskAction& action, std::string_view by);

 private:
  struct Statements;
  struct Row;
  std::optional<Row> find(std::int64_t row);
  void changed(Batch& batch, Change::Kind kind, const Row& row);
  void write_links(std::int64_t row, const std::vector<Link>& links);
  void create_successors(Batch& batch, const Finish& finish, const Row& row);
  std::string gives_way(const Row& row);
  TaskState park_if_held(std::int64_t row, const std::string& agent);
  void end_as_lost(Batch& batch, const Row& row, bool counts, int max_crashes, std::string_view reason);

  Claims& claims_;
  Leases& leases_;
  std::set<std::string>& held_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
