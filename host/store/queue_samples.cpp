#include "host/store/queue_samples.h"

#include <algorithm>

#include "host/store/clock_steps.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

// A watch that is shorter gives way to the next, so that a host which starts again and again fills no table.
constexpr std::int64_t kLeastWatch = 60'000;

}  // namespace

struct QueueSamples::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement newest_watch{db, "SELECT since, until FROM queue_watch ORDER BY since DESC LIMIT 1"};
  Statement add{db, "INSERT OR REPLACE INTO queue_sample VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement add_watch{db, "INSERT INTO queue_watch (since, until) VALUES (?1, ?1)"};
  Statement watched_until{db, "UPDATE queue_watch SET until = max(until, ?2) WHERE since = ?1"};
  Statement move_watch{db, "UPDATE queue_watch SET since = ?2, until = ?2 WHERE since = ?1"};
  Statement drop_since{db, "DELETE FROM queue_sample WHERE at >= ?1"};
  Statement drop_watches_since{db, "DELETE FROM queue_watch WHERE since >= ?1"};
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

std::optional<QueueSamples::Watch> QueueSamples::newest_watch() {
  Cursor row = sql_->newest_watch.query();
  if (!row.next()) return std::nullopt;
  return Watch{row.integer(0), row.integer(1)};
}

void QueueSamples::begin(const Batch& batch) {
  unsure_ = true;
  const std::int64_t now = to_unix_ms(batch.now);
  ahead_ = ClockSteps::ahead(batch.now, batch.monotonic);
  begin_watch(now, std::nullopt);
  note(now);
}

void QueueSamples::sample(const Batch& batch) {
  unsure_ = true;
  const std::int64_t now = to_unix_ms(batch.now);
  const Duration ahead = ClockSteps::ahead(batch.now, batch.monotonic);
  const Duration set = looks_ ? ahead - ahead_ : Duration(0);
  ahead_ = ahead;
  const std::optional<Watch> watch = newest_watch();
  if (!looks_ || !watch || now < watch->until || std::chrono::abs(set) > ClockSteps::kLeastStep)
    begin_watch(now, now - set.count());  // what was there just before the clock was set was there until then
  note(now);
}

void QueueSamples::begin_watch(std::int64_t now, std::optional<std::int64_t> known_until) {
  std::optional<Watch> former = newest_watch();
  if (former && now <= former->until) {
    sql_->drop_since.run(now);
    sql_->drop_watches_since.run(now);
    sql_->cut_watches.run(now);
    former = newest_watch();
  }
  if (former && known_until) sql_->watched_until.run(former->since, std::min(*known_until, now));
  if (former && now - former->since < kLeastWatch)
    sql_->move_watch.run(former->since, now);
  else
    sql_->add_watch.run(now);
  noted_.clear();
  looks_ = true;
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
  for (const auto& [agent, before] : noted_) counts.try_emplace(agent);  // it has nothing any more
  for (const auto& [agent, depth] : counts) {
    const auto before = noted_.find(agent);
    if (depth == (before == noted_.end() ? QueueCounts{} : before->second)) continue;
    sql_->add.run(agent, now, depth.queued, depth.running, depth.awaiting_approval, depth.deferred);
  }
  std::erase_if(counts, [](const auto& each) { return each.second == QueueCounts{}; });
  noted_ = std::move(counts);
  if (const std::optional<Watch> watch = newest_watch()) sql_->watched_until.run(watch->since, now);
}

}  // namespace davit::store
