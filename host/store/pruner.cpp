#include "host/store/pruner.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/store/deliveries.h"
#include "host/store/queue_samples.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr int kRowsAhead = 32;
constexpr std::int64_t kDaysOfPeople = 7;
constexpr int kLargeRows = 4;  // at once, of those that hold up to a megabyte each

}  // namespace

struct Pruner::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  // Verdict 3: deferred.
  Statement deliveries{
      db,
      "SELECT row, coalesce(first_at, received_at), webhook, key, tasks, verdict = 3 OR EXISTS (SELECT 1 "
      "FROM task t"
      " INDEXED BY task_open_delivery WHERE t.finished_at IS NULL AND t.delivery = delivery.row)"
      ", received_at FROM delivery WHERE row > ?1 ORDER BY row LIMIT ?2"};
  Statement open_task{db, "SELECT 1 FROM task WHERE id = ?1 AND finished_at IS NULL"};
  Statement drop_key{db, "DELETE FROM delivery_key WHERE hash = ?1 AND delivery = ?2"};
  Statement drop_delivery_links{db, "DELETE FROM delivery_link WHERE delivery = ?1"};
  Statement drop_delivery_body{db, "DELETE FROM delivery_body WHERE row = ?1"};
  Statement drop_delivery{db, "DELETE FROM delivery WHERE row = ?1"};

  Statement tasks{db,
                  "SELECT row, created_at, finished_at, EXISTS (SELECT 1 FROM task t INDEXED BY"
                  " task_open_delivery WHERE t.finished_at IS NULL AND t.delivery = task.delivery),"
                  " coalesce(root, id), state FROM task WHERE row > ?1 ORDER BY row LIMIT ?2"};
  Statement open_member{db,
                        "SELECT 1 FROM task WHERE id = ?1 AND finished_at IS NULL UNION ALL"
                        " SELECT 1 FROM task INDEXED BY task_root WHERE root = ?1 AND finished_at IS NULL"};
  Statement finished{
      db, "SELECT count(*) FROM task INDEXED BY task_state WHERE state <> 0 AND state IN (3, 4, 5)"};
  Statement drop_lines{db,
                       "DELETE FROM transcript WHERE row IN (SELECT row FROM transcript WHERE execution IN"
                       " (SELECT row FROM execution WHERE task = ?1) LIMIT ?2)"};
  Statement drop_packs{db,
                       "DELETE FROM transcript_pack WHERE row IN (SELECT row FROM transcript_pack WHERE"
                       " execution IN (SELECT row FROM execution WHERE task = ?1) LIMIT ?2)"};
  Statement drop_artifacts{db,
                           "DELETE FROM artifact WHERE row IN (SELECT row FROM artifact WHERE execution IN"
                           " (SELECT row FROM execution WHERE task = ?1) LIMIT ?2)"};
  Statement drop_results{
      db, "DELETE FROM execution_result WHERE row IN (SELECT row FROM execution WHERE task = ?1)"};
  Statement drop_executions{db, "DELETE FROM execution WHERE task = ?1"};
  Statement drop_decisions{db, "DELETE FROM decision WHERE task = ?1"};
  Statement drop_task_links{db, "DELETE FROM task_link WHERE task = ?1"};
  Statement drop_task_also{db, "DELETE FROM task_also WHERE task = ?1"};
  Statement drop_task_body{db, "DELETE FROM task_body WHERE row = ?1"};
  Statement drop_task{db, "DELETE FROM task WHERE row = ?1"};
  // One that the search has not reached is not counted yet.
  Statement count_made{db,
                       "INSERT INTO task_made (hour, agent, tasks) SELECT created_at / 3600000, agent, 1 FROM task"
                       " WHERE row = ?1 AND row > (SELECT reached FROM task_search_state)"
                       " ON CONFLICT (hour, agent) DO UPDATE SET tasks = tasks + excluded.tasks"};
  Statement count_gone{db,
                       "INSERT INTO task_gone (day, state, tasks) VALUES (?1, ?2, ?3)"
                       " ON CONFLICT (day, state) DO UPDATE SET tasks = tasks + excluded.tasks"};

  // A budget knows no person for longer than a day; those of agents and of all are few.
  Statement drop_spent_by_people{db,
                                 "DELETE FROM spend WHERE scope = 2 AND day = (SELECT min(day) FROM spend "
                                 "WHERE day < ?1 AND scope = 2)"};

  // The oldest few are looked at, in their order.
  Statement drop_audit{
      db,
      "DELETE FROM audit WHERE row <= (SELECT max(row) FROM (SELECT row, at FROM audit ORDER BY"
      " row LIMIT ?2) WHERE at < ?1)"};

  Statement sampled_agent{db, "SELECT agent FROM queue_sample WHERE agent >= ?1 ORDER BY agent LIMIT 1"};
  // The newest of them holds still.
  Statement drop_samples{
      db,
      "DELETE FROM queue_sample WHERE agent = ?1 AND at IN (SELECT at FROM queue_sample WHERE agent = ?1 AND at <"
      " (SELECT max(at) FROM queue_sample WHERE agent = ?1 AND at <= ?2) ORDER BY at LIMIT ?3)"};
  Statement drop_watches{
      db,
      "DELETE FROM queue_watch WHERE since IN (SELECT since FROM queue_watch ORDER BY since LIMIT ?2)"
      " AND until < ?1 AND since < (SELECT max(since) FROM queue_watch)"};

  Statement pages{db, "PRAGMA page_count"};
  Statement free_pages{db, "PRAGMA freelist_count"};
  Statement page_size{db, "PRAGMA page_size"};
  Statement note{
      db,
      "INSERT INTO setting (name, value) VALUES ('pruned_before', ?1) ON CONFLICT (name) DO UPDATE"
      " SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)"};
};

// Until when what was made is looked at, and what of it goes.
struct Pruner::Limits {
  WallTime before{};   // younger ones stay
  WallTime expired{};  // older ones go
  WallTime now{};
  WallTime guarded{};  // deliveries that came later stay
};

struct Pruner::Item {
  std::int64_t row = 0;
  WallTime made{};   // ascends with the row
  WallTime since{};  // arrival (the latest of a failed delivery that came again) or end: it is kept from then
  bool needed = false;
  std::string key_hash;    // of a delivery
  std::int64_t state = 0;  // of a task, its code
};

// The next rows of a table.
struct Pruner::Table {
  enum class Kind { Deliveries, Tasks } kind;
  std::deque<Item> next;
  bool ended = false;    // nothing behind `next` is old enough
  bool guarded = false;  // that is so because of Limits::guarded
};

Pruner::Pruner(Database& database, TaskIndex& index, ChainSums& chain_sums)
    : index_(index), chain_sums_(chain_sums), sql_(std::make_unique<Statements>(database)) {}
Pruner::~Pruner() = default;

namespace {

std::int64_t number(Statement& statement) {
  Cursor row = statement.query();
  return row.next() ? row.integer(0) : 0;
}

}  // namespace

bool Pruner::too_much(const Retention& retention) {
  return (retention.max_bytes > 0 && used_bytes() > retention.max_bytes) ||
         (retention.max_tasks > 0 && finished_ > retention.max_tasks);
}

std::int64_t Pruner::free_bytes() { return number(sql_->free_pages) * number(sql_->page_size); }
std::int64_t Pruner::used_pages() { return number(sql_->pages) - number(sql_->free_pages); }
std::int64_t Pruner::used_bytes() { return used_pages() * number(sql_->page_size); }

Pruner::Step Pruner::step(const Retention& retention, WallTime now, int effort) {
  Limits limits{.now = now};
  if (retention.keep.count() > 0) limits.before = limits.expired = now - retention.keep;
  if (delivery_ == 0 && task_ == 0) {
    sql_->drop_spent_by_people.run(std::chrono::floor<std::chrono::days>(now).time_since_epoch().count() -
                                   kDaysOfPeople);
    if (retention.max_tasks > 0) finished_ = number(sql_->finished);
  }
  if (too_much(retention)) limits.before = WallTime::max();
  chain_ = {};
  limits.guarded = retention.guard.count() > 0 ? now - retention.guard : WallTime::max();
  Step step;
  if (retention.keep.count() > 0 && sql_->drop_audit.run(limits.expired, effort) >= effort) {
    step.more = true;
    return step;
  }
  const Duration kept = retention.keep.count() > 0 ? std::min<Duration>(retention.keep, kQueueSamplesKept)
                                                   : Duration(kQueueSamplesKept);
  if (step.more = !remove_samples(now - kept, effort); step.more) return step;
  Table deliveries{Table::Kind::Deliveries, {}, limits.before == WallTime{}};
  Table tasks{Table::Kind::Tasks, {}, limits.before == WallTime{}};
  WallTime newest_end{};
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> gone;  // tasks by day and state
  const std::int64_t changes_before = sql_->db.total_changes();
  const std::int64_t used_before = used_pages();
  int looked_at = 0;
  const auto spent = [&] {
    return looked_at + (sql_->db.total_changes() - changes_before) + (used_before - used_pages());
  };
  while (!sql_->db.failed()) {
    refill(deliveries, limits);
    refill(tasks, limits);
    if (deliveries.next.empty() && tasks.next.empty()) break;
    if (step.more = spent() >= effort; step.more) break;
    const bool take_delivery =
        tasks.next.empty() ||
        (!deliveries.next.empty() && deliveries.next.front().made <= tasks.next.front().made);
    Table& older = take_delivery ? deliveries : tasks;
    const Item item = std::move(older.next.front());
    older.next.pop_front();
    if (limits.before == WallTime::max() && item.made >= limits.expired && !too_much(retention))
      break;  // room enough
    ++looked_at;
    const bool goes =
        !item.needed && (item.since < limits.expired || (item.since < limits.before && too_much(retention)));
    if (take_delivery) {
      delivery_ = item.row;
      if (!goes) continue;
      remove_delivery(item);
      ++step.deliveries;
    } else {
      if (goes) {
        if (step.more = !remove_task(item.row, effort); step.more) break;
        newest_end = std::max(newest_end, item.since);
        ++gone[{std::chrono::floor<std::chrono::days>(item.made).time_since_epoch().count(), item.state}];
        ++step.tasks;
        --finished_;
      }
      task_ = item.row;
    }
  }
  for (const auto& [of, count] : gone) sql_->count_gone.run(of.first, of.second, count);
  // A delivery that is kept may name a task that is not: what arrived before this does not miss it.
  if (newest_end != WallTime{}) sql_->note.run(std::to_string(to_unix_ms(newest_end) + 1));
  step.guarded = deliveries.guarded;
  if (!step.more) delivery_ = task_ = 0;
  return step;
}

void Pruner::refill(Table& table, const Limits& limits) {
  if (!table.next.empty() || table.ended) return;
  const bool is_delivery = table.kind == Table::Kind::Deliveries;
  struct Named {
    std::size_t item;
    std::vector<std::string> tasks;
  };
  std::vector<Named> named;
  std::vector<std::pair<std::size_t, StoredId>> chains;  // of tasks that could go
  int rows = 0;
  {
    Cursor row =
        is_delivery ? sql_->deliveries.query(delivery_, kRowsAhead) : sql_->tasks.query(task_, kRowsAhead);
    while (!table.ended && row.next()) {
      ++rows;
      Item item{.row = row.integer(0)};
      if (is_delivery) {
        item.made = row.time(1);
        item.since = row.time(6);
        item.needed = row.integer(5) != 0;
        item.key_hash = key_hash(row.view(2), row.view(3));
        if (!item.needed) named.push_back({table.next.size(), unpack_ids(row.view(4))});
      } else {
        item.made = row.time(1);
        item.needed = row.is_null(2) || row.integer(3) != 0;
        item.state = row.integer(5);
        if (!row.is_null(2)) item.since = row.time(2);
        if (!item.needed) chains.emplace_back(table.next.size(), row.id(4));
      }
      // From the future: made before somebody set the clock back.
      table.ended = item.made >= limits.before && item.made <= limits.now;
      if (is_delivery && !table.ended && item.since > limits.guarded) {
        item.needed = true;
        table.ended = table.guarded = item.made > limits.guarded && item.made <= limits.now;
      }
      if (!table.ended) table.next.push_back(std::move(item));
    }
  }
  if (rows < kRowsAhead) table.ended = true;
  // A task that waits may have been taken over by a later delivery, while this one names it still.
  for (const Named& delivery : named) {
    if (delivery.item >= table.next.size()) break;
    for (const std::string& task : delivery.tasks)
      if (sql_->open_task.query(*to_stored_id(task)).next()) table.next[delivery.item].needed = true;
  }
  // Of a chain that goes on nothing goes: its budget is counted over all of it. One question for a chain
  // whose tasks lie side by side.
  for (const auto& [item, chain] : chains) {
    if (item >= table.next.size()) break;
    if (chain != chain_) {
      chain_ = chain;
      chain_is_open_ = sql_->open_member.query(chain).next();
    }
    if (chain_is_open_) table.next[item].needed = true;
  }
}

void Pruner::remove_delivery(const Item& delivery) {
  sql_->drop_key.run(Blob{delivery.key_hash}, delivery.row);
  sql_->drop_delivery_links.run(delivery.row);
  sql_->drop_delivery_body.run(delivery.row);
  sql_->drop_delivery.run(delivery.row);
}

bool Pruner::remove_samples(WallTime before, int effort) {
  if (sql_->drop_watches.run(before, effort) >= effort) return false;
  for (std::string agent;; agent += '\0') {
    {
      Cursor row = sql_->sampled_agent.query(agent);
      if (!row.next()) return true;
      agent = row.text(0);
    }
    if (sql_->drop_samples.run(agent, before, effort) >= effort) return false;
  }
}

bool Pruner::remove_task(std::int64_t row, int effort) {
  if (sql_->drop_lines.run(row, effort) >= effort) return false;
  for (Statement* drop : {&sql_->drop_packs, &sql_->drop_artifacts})
    if (drop->run(row, kLargeRows) >= kLargeRows) return false;
  index_.before_change(row);
  chain_sums_.is_pruned(row);
  for (Statement* drop :
       {&sql_->count_made, &sql_->drop_results, &sql_->drop_executions, &sql_->drop_decisions, &sql_->drop_task_links,
        &sql_->drop_task_also, &sql_->drop_task_body, &sql_->drop_task}) {
    drop->run(row);
  }
  return true;
}

}  // namespace davit::store
