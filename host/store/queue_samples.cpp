#include "host/store/queue_samples.h"

#include <algorithm>

#include "host/store/clock_steps.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// A host that starts again and again begins no more than one watch in so long.
constexpr std::int64_t kLeastWatch = 60'000;

}  // namespace

struct QueueSamples::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement next_agent{db, "SELECT agent FROM queue_sample WHERE agent > ?1 ORDER BY agent LIMIT 1"};
  Statement newest_of{db,
                      "SELECT at, queued, running, awaiting_approval, deferred FROM queue_sample"
                      " WHERE agent = ?1 ORDER BY at DESC LIMIT 1"};
  Statement newest_watch{db, "SELECT since, until FROM queue_watch ORDER BY since DESC LIMIT 1"};
  Statement add{db, "INSERT OR REPLACE INTO queue_sample VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement add_watch{db, "INSERT INTO queue_watch (since, until) VALUES (?1, ?1)"};
  Statement watched_until{db, "UPDATE queue_watch SET until = max(until, ?2) WHERE since = ?1"};
  Statement drop_since{db, "DELETE FROM queue_sample WHERE at > ?1"};
  Statement drop_watches_since{db, "DELETE FROM queue_watch WHERE since > ?1"};
  Statement cut_watches{db, "UPDATE queue_watch SET until = ?1 WHERE until > ?1"};

  Statement queued{db,
                   "SELECT agent, count(*) FROM task INDEXED BY task_queued WHERE state = 0 GROUP BY agent"};
  Statement others{db,
                   "SELECT agent, state, count(*) FROM task INDEXED BY task_state"
                   " WHERE state <> 0 AND state IN (1, 2) GROUP BY agent, state"};
  Statement deferred{db, "SELECT count(*) FROM delivery INDEXED BY delivery_due WHERE due_at IS NOT NULL"};
};

QueueSamples::QueueSamples(Database& database) : sql_(std::make_unique<Statements>(database)) {}
QueueSamples::~QueueSamples() = default;

void QueueSamples::discard() {
  loaded_ = false;
  ahead_ = committed_ahead_;
}

void QueueSamples::load() {
  if (loaded_) return;
  loaded_ = true;
  noted_.clear();
  newest_ = 0;
  for (std::string agent;;) {
    if (Cursor row = sql_->newest_of.query(agent); row.next()) {
      newest_ = std::max(newest_, row.integer(0));
      noted_[agent] = {row.integer(1), row.integer(2), row.integer(3), row.integer(4)};
    }
    Cursor next = sql_->next_agent.query(agent);
    if (!next.next()) break;
    agent = next.text(0);
  }
  if (Cursor row = sql_->newest_watch.query(); row.next()) newest_ = std::max(newest_, row.integer(1));
}

void QueueSamples::begin(const Batch& batch) {
  load();
  const std::int64_t now = to_unix_ms(batch.now);
  begin_watch(now, 0);
  ahead_ = ClockSteps::ahead(batch.now, batch.monotonic);
  note(now);
}

void QueueSamples::sample(const Batch& batch) {
  load();
  const std::int64_t now = to_unix_ms(batch.now);
  const Duration ahead = ClockSteps::ahead(batch.now, batch.monotonic);
  const Duration set = ahead_ ? ahead - *ahead_ : Duration(0);
  // What was there just before the clock was set was there until then.
  if (now < newest_ || std::chrono::abs(set) > ClockSteps::kLeastStep) begin_watch(now, now - set.count());
  ahead_ = ahead;
  note(now);
}

void QueueSamples::begin_watch(std::int64_t now, std::int64_t known_until) {
  if (now < newest_) {
    sql_->drop_since.run(now);
    sql_->drop_watches_since.run(now);
    sql_->cut_watches.run(now);
    loaded_ = false;
    load();
  }
  std::optional<std::int64_t> newest;
  if (Cursor row = sql_->newest_watch.query(); row.next()) newest = row.integer(0);
  if (newest && known_until < now) sql_->watched_until.run(*newest, known_until);
  if (!newest || now - *newest >= kLeastWatch) sql_->add_watch.run(now);
}

QueueSamples::Counts QueueSamples::count() {
  Counts counts;
  QueueCounts all;
  for (Cursor row = sql_->queued.query(); row.next();)
    all.queued += counts[row.text(0)].queued = row.integer(1);
  for (Cursor row = sql_->others.query(); row.next();) {
    QueueCounts& agent = counts[row.text(0)];
    if (task_state_of(row.integer(1)) == TaskState::Running)
      all.running += agent.running = row.integer(2);
    else
      all.awaiting_approval += agent.awaiting_approval = row.integer(2);
  }
  if (Cursor row = sql_->deferred.query(); row.next()) all.deferred = row.integer(0);
  counts[""] = all;
  return counts;
}

void QueueSamples::note(std::int64_t now) {
  Counts counts = count();
  for (const auto& [agent, before] : noted_) counts.try_emplace(agent);  // it has none any more
  for (const auto& [agent, depth] : counts) {
    QueueCounts& before = noted_[agent];
    if (depth == before) continue;
    sql_->add.run(agent, now, depth.queued, depth.running, depth.awaiting_approval, depth.deferred);
    before = depth;
  }
  std::int64_t watch = 0;
  if (Cursor row = sql_->newest_watch.query(); row.next()) watch = row.integer(0);
  sql_->watched_until.run(watch, now);
  newest_ = now;
}

}  // namespace davit::store
