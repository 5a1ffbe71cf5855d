#include "host/store/clock_steps.h"

#include <utility>

#include "host/store/deliveries.h"
#include "host/store/lines.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// No back-off of a deferred delivery is longer; see host/ingest/reruns.
constexpr Duration kLongestDeferral{600'000};

// Clocks are set seldom, so nothing here is kept prepared.
template <typename... Values>
int run(Database& database, const std::string& sql, const Values&... values) {
  return Statement(database, sql).run(values...);
}

// Both halves of the queue, each by its index; `condition` is about the rest.
template <typename... Values>
int run_on_queue(Database& database, const std::string& set, const std::string& condition,
                 const Values&... values) {
  return run(database,
             "UPDATE task INDEXED BY task_ready SET " + set + " WHERE state = 0 AND blocked = 0 AND " +
                 condition,
             values...) +
         run(database,
             "UPDATE task INDEXED BY task_line_queued SET " + set +
                 " WHERE state = 0 AND line IS NOT NULL AND blocked = 1 AND " + condition,
             values...);
}

// Who stands first in a line may be another one now: all whose line is free are let in, and the claim blocks
// again what has to wait.
void let_in(Database& database) {
  run(database,
      "UPDATE task INDEXED BY task_line_queued SET blocked = 0"
      " WHERE state = 0 AND line IS NOT NULL AND blocked = 1 AND NOT " +
          std::string(kLineIsBusy));
}

// Of the executions that run.
constexpr const char* kRunning =
    "row IN (SELECT execution FROM task INDEXED BY task_state WHERE state <> 0 AND state = 1)";

void shift_running(Database& database, Batch& batch, Duration step) {
  run(database, std::string("UPDATE execution SET started_at = started_at + ?1 WHERE ") + kRunning,
      step.count());
  Statement running(database,
                    "SELECT t.id, e.session FROM task t INDEXED BY task_state JOIN execution e ON e.row = t.execution"
                    " WHERE t.state <> 0 AND t.state = 1");
  for (Cursor row = running.query(); row.next();)
    batch.changes.push_back({Change::Kind::ExecutionChanged,
                             to_text(row.id(0)),
                             {},
                             std::nullopt,
                             std::nullopt,
                             to_text(row.id(1))});
}

}  // namespace

Duration ClockSteps::ahead(WallTime wall, MonotonicTime monotonic) {
  return wall.time_since_epoch() - std::chrono::duration_cast<Duration>(monotonic.time_since_epoch());
}

Duration ClockSteps::unseen_step(WallTime wall, MonotonicTime monotonic) const {
  const Duration::rep known = ahead_.load();
  if (known == kNotKnown) return Duration(0);
  const Duration step = ahead(wall, monotonic) - Duration(known);
  return std::chrono::abs(step) > kLeastStep ? step : Duration(0);
}

bool ClockSteps::begin(Database& database, Batch& batch) {
  const bool first = ahead_.load() == kNotKnown;
  const Duration step = unseen_step(batch.now, batch.monotonic);
  waiting_.reset();
  if (first) begin_first(database, batch.now);
  if (step != Duration(0)) shift(database, batch, step);
  now_ = batch.now;
  if (!first && step == Duration(0)) return false;
  waiting_ = ahead(batch.now, batch.monotonic);
  return true;
}

void ClockSteps::begin_first(Database& database, WallTime now) {
  int changed = run_on_queue(database, "run_at = ?1", "run_at > ?1 AND run_at <= updated_at", now);
  // When its back-off began, a task was updated.
  changed += run_on_queue(database, "run_at = ?1 + run_at - updated_at",
                          "hold = 1 AND updated_at > ?1 AND run_at > updated_at", now);
  if (changed > 0) let_in(database);
  run(database,
      "UPDATE task INDEXED BY task_state SET run_at = ?1"
      " WHERE state <> 0 AND state = 2 AND run_at > ?1 AND run_at <= updated_at",
      now);
  run(database, "UPDATE delivery SET due_at = ?1 WHERE due_at IS NOT NULL AND due_at > ?2 AND due_at < ?3",
      now, now + kLongestDeferral, kNotDue);
  run(database, std::string("UPDATE execution SET started_at = ?1 WHERE started_at > ?1 AND ") + kRunning, now);
}

void ClockSteps::shift(Database& database, Batch& batch, Duration step) {
  shift_running(database, batch, step);
  const WallTime now = batch.now;
  const std::int64_t by = step.count();
  run(database,
      "UPDATE task INDEXED BY task_hold SET run_at = run_at + ?1 WHERE state = 0 AND hold <> 0 AND hold = 1",
      by);
  run(database, "UPDATE delivery SET due_at = due_at + ?1 WHERE due_at IS NOT NULL AND due_at < ?2", by,
      kNotDue);
  if (step > Duration(0)) return let_in(database);
  // Set back: what was due would be of the future. Also what is held back, for when it is let go, and what
  // waits for approval.
  run_on_queue(database, "run_at = run_at + ?1", "hold <> 1 AND run_at > ?2 AND run_at <= ?3", by, now,
               committed_);
  run(database,
      "UPDATE task INDEXED BY task_state SET run_at = run_at + ?1"
      " WHERE state <> 0 AND state IN (2, 6) AND run_at > ?2 AND run_at <= ?3",
      by, now, committed_);
  let_in(database);
}

void ClockSteps::apply() {
  if (waiting_) ahead_ = std::exchange(waiting_, std::nullopt)->count();
  committed_ = now_;
}

}  // namespace davit::store
