// What lists and searches of tasks need beside the tasks themselves.
#pragma once

#include <cstdint>
#include <memory>

#include "host/base/clock.h"
#include "host/store/database.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// Keeps the index of words true, the marks of where a clock was set back (schema/0012_search.sql), and the
// count of what was made by the hour (0015_queue_depth.sql).
//
// New tasks are not indexed as they are made: that would write a third more for each. They are read
// themselves until step() comes to them, a few dozen at a time between other writes. Confined to the writer
// thread; each function runs inside the writer's transaction.
class TaskIndex final : public TransactionPart {
 public:
  explicit TaskIndex(Database& database);
  ~TaskIndex() override;

  // A task was stored.
  void made(std::int64_t row, WallTime created_at);
  // Before and after title, entity or error of a task change; before alone if it goes. Costs nothing for one
  // that is not indexed yet.
  void before_change(std::int64_t row);
  void after_change(std::int64_t row);

  // Is there anything to index?
  bool behind() const { return now_.reached < now_.newest; }
  // Indexes and counts the next few. Call again while behind().
  void step();

  void apply() override { committed_ = now_; }
  void discard() override { now_ = committed_; }

 private:
  struct Statements;
  struct State {
    std::int64_t reached = 0;  // the newest row that is indexed
    std::int64_t newest = 0;   // the newest row there is, or was
    WallTime last_made{};      // of that row
  };
  std::unique_ptr<Statements> sql_;
  State now_, committed_;
};

}  // namespace davit::store
