// Which tasks wait for a person, and since when.
#pragma once

#include <cstdint>
#include <memory>

#include "host/store/database.h"
#include "host/store/statement.h"

namespace davit::store {

// Confined to the writer thread, inside its transaction. A task has a row here exactly while it is
// AwaitingApproval.
class Approvals {
 public:
  explicit Approvals(Database& database);

  void ask(std::int64_t task, WallTime now) { ask_.run(task, now); }
  void end(std::int64_t task) { end_.run(task); }

 private:
  Statement ask_, end_;
};

}  // namespace davit::store
