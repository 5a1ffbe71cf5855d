// The one place where the state of a stored task changes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/chain_sums.h"
#include "host/store/database.h"
#include "host/store/held_agents.h"
#include "host/store/statement.h"
#include "host/store/store.h"
#include "host/store/task_index.h"

namespace davit::store {

// A task as those who move it need to know it.
struct TaskRow {
  std::int64_t row = 0;
  StoredId id;
  TaskState state = TaskState::Queued;
  std::string agent;
  std::int64_t execution = 0;
  int attempt = 0;
  int crashes = 0;
  int losses = 0;
  int chain_depth = 1;
  StoredId root;
  std::optional<std::int64_t> delivery;
  std::string entity, line, key, error;
  std::optional<std::string> cancel_reason;
  bool needs_approval = false;
  int rework = 0;  // how often its chain was sent back
  StoredId parent;
  std::string task_type, source;
  WallTime run_at{};
  // Of the newest execution, if there is one.
  WallTime started_at{};
  Usage reported;  // what is known of its usage so far

  Fence fence() const { return {row, execution}; }
};

// Whether a move that ends a task badly, or puts it aside, stops its chain, and how.
enum class Stops {
  AsItsState,  // failed, cancelled or parked
  Rejected,
  AtDeadline,
  Not  // the work goes on in another task
};

// What a move writes.
struct Move {
  TaskState to = TaskState::Queued;
  std::optional<WallTime> run_at;  // absent: stays
  int attempt = 0, crashes = 0, losses = 0;
  std::string_view error;  // empty: none
  bool backs_off = false;  // with Queued: run_at is a delay, not a time that somebody chose
  Stops stops = Stops::AsItsState;
  bool resumes = false;  // with AwaitingApproval: the wait before goes on
};

// Confined to the writer thread; each function runs inside the writer's transaction.
class Moves {
 public:
  Moves(Database& database, Approvals& approvals, const HeldAgents& held, TaskIndex& index,
        ChainSums& chain_sums);
  ~Moves();

  std::optional<TaskRow> find(std::int64_t row);
  std::optional<TaskRow> find(std::string_view task_id);

  // Writes it, tells of it, and notes in the batch that it stops a chain. Gives the state it has then: Parked
  // instead of Queued if its agent is held. Whoever moves a task asks may_move() first and refuses with a
  // sentence of his own; a move that is not legal all the same fails the whole write.
  TaskState move(Batch& batch, const TaskRow& row, const Move& move);
  // A claim. `row` was found in the index of what is queued.
  void begin(std::int64_t row, std::int64_t execution, int attempt, WallTime now);
  // Of a task that was stored as queued just now: parked if its agent is held.
  TaskState admit(std::int64_t row, const std::string& agent, WallTime now);

  // Parks what is queued, because its agent is held; queues what was parked so.
  void hold_back(std::int64_t row, WallTime now);
  void let_go(std::int64_t row, WallTime now);
  bool holds(const std::string& agent) const { return held_.contains(agent); }

 private:
  struct Statements;
  const HeldAgents& held_;
  Approvals& approvals_;
  TaskIndex& index_;
  ChainSums& chain_sums_;
  std::unique_ptr<Statements> sql_;
};

inline constexpr std::string_view kHeldReason = "its agent's plugin is in quarantine";

}  // namespace davit::store
