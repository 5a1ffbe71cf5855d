// Removes what is older than it shall be kept, or the oldest where there is more than there may be.
//
// Walks deliveries and tasks by row number, which is their order of creation, the older of the two first, so
// it needs no index and reads nothing that is young. What stays: a task that has not ended, the rest of its
// chain, the delivery that named it, what else came of that delivery, and a delivery whose hooks are still to
// run. The sums of what goes stay in the day book, with the chains and with the budgets.
//
// Lines of the audit log go with their age alone, and so does how deep the queue was.
//
// Free pages are used again before the file grows, so it is never rewritten while the host runs: that would
// take the database for as long as it lasts, and as much of the disk again. Whoever wants the space back has
// compact().
#pragma once

#include <cstdint>
#include <memory>

#include "host/store/chain_sums.h"
#include "host/store/database.h"
#include "host/store/statement.h"
#include "host/store/store.h"
#include "host/store/task_index.h"

namespace davit::store {

// Confined to the writer thread; a step runs inside the writer's transaction.
class Pruner {
 public:
  Pruner(Database& database, TaskIndex& index, ChainSums& chain_sums);
  ~Pruner();

  struct Step {
    std::int64_t deliveries = 0, tasks = 0;  // removed
    bool more = false;                       // there is more to look at; else the next step begins anew
    bool guarded = false;                    // more would have gone, but for Retention::guard
  };
  // Goes on until it has looked at, removed and freed about `effort` rows and pages. What it removes is noted
  // as pruned, for verify().
  Step step(const Retention& retention, WallTime now, int effort);

  // Bytes of the database that are in use. The file may be larger: its free pages are used again.
  std::int64_t used_bytes();
  std::int64_t free_bytes();

 private:
  struct Statements;
  struct Limits;
  struct Item;
  struct Table;
  std::int64_t used_pages();
  bool too_much(const Retention& retention);
  // False if there was too much to remove at once.
  bool remove_samples(WallTime before, int effort);
  void refill(Table& table, const Limits& limits);
  // False if there was too much to remove at once: the rest of the task goes with the next steps.
  bool remove_task(std::int64_t row, int effort);
  void remove_delivery(const Item& delivery);

  TaskIndex& index_;
  ChainSums& chain_sums_;
  std::unique_ptr<Statements> sql_;
  std::int64_t delivery_ = 0;  // the last row that was looked at
  std::int64_t task_ = 0;
  StoredId chain_;  // the one that was looked at last in this step
  bool chain_is_open_ = false;
  std::int64_t finished_ = 0;  // tasks, counted when a walk begins; only where their number is limited
};

}  // namespace davit::store
