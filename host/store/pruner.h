// Removes what is older than it shall be kept, or the oldest where the database is larger than it may be.
//
// Walks the tables by row number, which is their order of creation, a few rows at a time, so it needs no
// index and never reads what is young. Kept is what an unfinished task needs: itself, its delivery, and the
// finished tasks of that delivery. Confined to the writer thread; a step runs inside the writer's
// transaction.
#pragma once

#include <memory>

#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

class Pruner {
 public:
  explicit Pruner(Database& database);
  ~Pruner();

  // One step: looks at up to `rows` deliveries and as many tasks. True if there is more to do at once; else
  // the next step begins at the oldest again. What it removes is noted as pruned, for verify().
  bool step(const Retention& retention, WallTime now, int rows);

 private:
  struct Statements;
  struct Limits {
    WallTime before{};           // what is younger stays; none: everything does
    std::int64_t enough_at = 0;  // by size: bytes at which enough is removed; 0: all of it goes
    WallTime old_before{};       // by size: what is older goes all the same
  };
  // Each looks at the next rows; false at the end of what may go.
  bool deliveries(const Limits& limits, int rows);
  bool tasks(const Limits& limits, int rows);
  bool may_stay(const Limits& limits, WallTime since);
  void remove_task(std::int64_t row);

  std::unique_ptr<Statements> sql_;
  std::int64_t delivery_ = 0;  // the last row that was looked at
  std::int64_t task_ = 0;
};

// Bytes of the database that are in use; the file may be larger.
std::int64_t used_bytes(Database& database);

}  // namespace davit::store
