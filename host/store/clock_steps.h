// What waits does not wait a day because somebody set the clock, nor has what runs run for a day.
//
// The database knows times by the wall clock only. Some of them are delays: the back-off of a retry
// (task.hold = 1) and of a deferred delivery. What is due once is due, whatever the clock says later. And how
// long an execution has run is told by when it began. So the difference between wall and monotonic clock is
// remembered, and when it has changed by more than kLeastStep, the transaction at hand moves these times by as
// much before anything else is done in it: what is booked of an execution that runs is what it would be had
// the clock been right from its beginning. A start time that a person chose stays where it is on the wall.
//
// Over a restart there is nothing to compare with. There only what is certain is done: no back-off waits
// longer from now on than it would have from its beginning, what was due when it was written is due, and
// nothing that runs has begun later than now.
#pragma once

#include <atomic>
#include <limits>
#include <optional>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// Confined to the writer thread but for `unseen_step`; outlives a connection.
class ClockSteps final : public TransactionPart {
 public:
  static constexpr Duration kLeastStep{5'000};

  // How far the wall clock is ahead of the monotonic one.
  static Duration ahead(WallTime wall, MonotonicTime monotonic);

  // At the beginning of every transaction. True if executions that run may have begun at another time now than
  // whoever keeps them in memory knows.
  bool begin(Database& database, Batch& batch);

  void apply() override;
  void discard() override { waiting_.reset(); }

  // How far the wall clock was set since the last transaction: what the database has as a delay, or as the
  // beginning of what runs, is as much off. Thread-safe.
  Duration unseen_step(WallTime wall, MonotonicTime monotonic) const;

 private:
  static constexpr Duration::rep kNotKnown = std::numeric_limits<Duration::rep>::min();
  void begin_first(Database& database, WallTime now);
  void shift(Database& database, Batch& batch, Duration step);

  std::atomic<Duration::rep> ahead_{kNotKnown};  // how far the wall clock is ahead of the monotonic one
  std::optional<Duration> waiting_;
  WallTime now_{}, committed_{};  // of the transaction at hand, and of the newest one that was committed
};

}  // namespace davit::store
