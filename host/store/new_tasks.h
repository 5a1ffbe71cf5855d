// How tasks come to be, and what happens to a task that waits when another one of its key comes. Confined to the
// writer thread; each function runs inside the writer's transaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/chain_sums.h"
#include "host/store/database.h"
#include "host/store/lines.h"
#include "host/store/moves.h"
#include "host/store/store.h"
#include "host/store/task_index.h"

namespace davit::store {

// Where a new task comes from.
struct Origin {
  std::string_view source;
  const Actor* actor = nullptr;              // may be null
  const std::vector<Link>* links = nullptr;  // may be null
  std::string_view entity;                   // unless the task names one
  std::string_view group;                    // of that entity
  std::optional<std::int64_t> delivery;      // row
  std::optional<std::int64_t> also_of;       // row of the task whose further keys it gets
  StoredId parent, root;
  std::optional<std::int64_t> beside;  // row of a task that this one takes the place of in the chain
  int chain_depth = 1;
  int rework = 0;                    // how often its chain was sent back
  std::string_view previous_result;  // empty: none
  std::string_view chain;            // names of the agents before it, as stored; empty: it is the first
  bool awaits_approval = false;
  bool entity_is_key = false;  // a task without key of its own has its entity's: it is an event's
};

// InvalidInput with a sentence if it cannot be stored.
Result<> check_new_task(const NewTask& task);

class NewTasks {
 public:
  NewTasks(Database& database, Moves& moves, Lines& lines, Approvals& approvals, TaskIndex& index,
           ChainSums& chain_sums);
  ~NewTasks();

  // Gives the id of the task, or of the one that waits and got its input. `task` has passed check_new_task().
  std::string create(Batch& batch, const NewTask& task, const Origin& origin);
  // A queued task of the same agent and key, or one that waits for approval and has the same entity, too:
  // beside it, `row` must not be queued again. Those of one delivery are no such.
  std::optional<TaskRow> waits_under_key_of(const TaskRow& row);
  // Ends a task that nobody has begun, because its input is older than that of another.
  void give_way(Batch& batch, const TaskRow& row, std::string_view why);
  // What would be tried again gives way to a task of the same key that came meanwhile with newer input; what was
  // approved, to one that was approved as well, and what would wait again, to one that waits. A sentence about it, empty
  // if there is none.
  std::string gives_way(const TaskRow& row, TaskState to);

 private:
  struct Statements;
  struct Waiting;
  std::optional<Waiting> find_waiting(const NewTask& task, const Origin& origin, std::string_view key,
                                      std::string_view entity, bool awaits_approval, bool key_is_entity);
  std::string group_of(const NewTask& task, std::string_view entity, const Origin& origin);
  void replace(Batch& batch, const Waiting& waiting, const NewTask& task, const Origin& origin);
  // Gives a task the further keys of another one.
  void inherit_also(std::int64_t row, const Origin& origin);
  void write_links(std::int64_t row, const std::vector<Link>& links);
  void find_place(std::int64_t row, std::string_view agent, const Origin& origin);

  Moves& moves_;
  Lines& lines_;
  Approvals& approvals_;
  TaskIndex& index_;
  ChainSums& chain_sums_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store
