// Tells of chains whose work has stopped and is not done: one task for the agent that tells people, in the
// transaction in which it stops.
#pragma once

#include <memory>
#include <string>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/moves.h"
#include "host/store/new_tasks.h"

namespace davit::store {

// Confined to the writer thread, inside its transaction.
class ChainEnds {
 public:
  // `notify`: the agent; empty: nobody. It outlives this and may change between transactions.
  ChainEnds(Database& database, const std::string& notify, Moves& moves, NewTasks& new_tasks);
  ~ChainEnds();

  // Of each stop that moves have noted in `batch`, the task for who tells; takes them out of it. What is
  // about a chain that tells people itself is told to nobody.
  void tell(Batch& batch);
  // The task goes on: what nobody has begun to tell of its former end is not told.
  void take_back(Batch& batch, const TaskRow& task);

 private:
  struct Statements;
  void tell_of(Batch& batch, const Stopped& stopped);

  const std::string& notify_;
  Moves& moves_;
  NewTasks& new_tasks_;
  std::unique_ptr<Statements> sql_;
};

// Of what such a task is, and of its key, behind which the id of the task stands whose end it tells of.
inline constexpr std::string_view kChainEnd = "chain_end";
inline constexpr std::string_view kChainEndKey = "chain_end:";

}  // namespace davit::store
