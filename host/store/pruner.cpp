#include "host/store/pruner.h"

#include <algorithm>
#include <vector>

#include "host/store/deliveries.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {

struct Pruner::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  // 3: deferred, its hooks are still to run.
  Statement next_deliveries{db,
                            "SELECT d.row, d.received_at, d.webhook, d.key, d.verdict <> 3 AND NOT EXISTS "
                            "(SELECT 1 FROM task t INDEXED BY"
                            " task_open_delivery WHERE t.finished_at IS NULL AND t.delivery = d.row)"
                            " FROM delivery d WHERE d.row > ?1 ORDER BY d.row LIMIT ?2"};
  Statement drop_key{db, "DELETE FROM delivery_key WHERE hash = ?1 AND delivery = ?2"};
  Statement drop_delivery_links{db, "DELETE FROM delivery_link WHERE delivery = ?1"};
  Statement drop_delivery_body{db, "DELETE FROM delivery_body WHERE row = ?1"};
  Statement drop_delivery{db, "DELETE FROM delivery WHERE row = ?1"};

  Statement next_tasks{db,
                       "SELECT x.row, x.created_at, x.finished_at, NOT EXISTS (SELECT 1 FROM task t INDEXED "
                       "BY task_open_delivery"
                       " WHERE t.finished_at IS NULL AND t.delivery = x.delivery)"
                       " FROM task x WHERE x.row > ?1 ORDER BY x.row LIMIT ?2"};
  Statement drop_transcript{
      db, "DELETE FROM transcript WHERE execution IN (SELECT row FROM execution WHERE task = ?1)"};
  Statement drop_results{
      db, "DELETE FROM execution_result WHERE row IN (SELECT row FROM execution WHERE task = ?1)"};
  Statement drop_executions{db, "DELETE FROM execution WHERE task = ?1"};
  Statement drop_decisions{db, "DELETE FROM decision WHERE task = ?1"};
  Statement drop_task_links{db, "DELETE FROM task_link WHERE task = ?1"};
  Statement drop_task_body{db, "DELETE FROM task_body WHERE row = ?1"};
  Statement drop_task{db, "DELETE FROM task WHERE row = ?1"};

  Statement note{
      db,
      "INSERT INTO setting (name, value) VALUES ('pruned_before', ?1) ON CONFLICT (name) DO UPDATE"
      " SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)"};
};

Pruner::Pruner(Database& database) : sql_(std::make_unique<Statements>(database)) {}
Pruner::~Pruner() = default;

std::int64_t used_bytes(Database& database) {
  return (database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")) *
         database.integer("PRAGMA page_size");
}

bool Pruner::step(const Retention& retention, WallTime now, int rows) {
  Limits limits;
  if (retention.keep.count() > 0) limits.before = now - retention.keep;
  if (retention.max_bytes > 0 && used_bytes(sql_->db) > retention.max_bytes) {
    limits.before = now;
    limits.enough_at = retention.max_bytes;
    limits.old_before = retention.keep.count() > 0 ? now - retention.keep : WallTime{};
  }
  bool more = false;
  if (limits.before != WallTime{}) {
    const bool more_deliveries = deliveries(limits, rows);
    more = tasks(limits, rows) || more_deliveries;
  }
  if (!more) delivery_ = task_ = 0;
  return more;
}

// Is this one only removed for the sake of size, and is there room already?
bool Pruner::may_stay(const Limits& limits, WallTime since) {
  return limits.enough_at > 0 && since >= limits.old_before && used_bytes(sql_->db) <= limits.enough_at;
}

bool Pruner::deliveries(const Limits& limits, int rows) {
  struct Old {
    std::int64_t row;
    WallTime since;
    std::string key_hash;
  };
  std::vector<Old> old;
  int seen = 0;
  bool young = false;
  {
    Cursor row = sql_->next_deliveries.query(delivery_, rows);
    while (row.next()) {
      if (young = row.time(1) >= limits.before; young) break;
      ++seen;
      delivery_ = row.integer(0);
      if (row.integer(4) != 0)
        old.push_back({row.integer(0), row.time(1), key_hash(row.view(2), row.view(3))});
    }
  }
  for (const Old& delivery : old) {
    if (may_stay(limits, delivery.since)) continue;
    sql_->drop_key.run(Blob{delivery.key_hash}, delivery.row);
    sql_->drop_delivery_links.run(delivery.row);
    sql_->drop_delivery_body.run(delivery.row);
    sql_->drop_delivery.run(delivery.row);
  }
  return !young && seen == rows;
}

bool Pruner::tasks(const Limits& limits, int rows) {
  struct Old {
    std::int64_t row;
    WallTime created_at, finished_at;
  };
  std::vector<Old> old;
  WallTime newest{};
  int seen = 0;
  bool young = false;
  {
    Cursor row = sql_->next_tasks.query(task_, rows);
    while (row.next()) {
      if (young = row.time(1) >= limits.before; young) break;
      ++seen;
      task_ = row.integer(0);
      if (row.is_null(2) || row.time(2) >= limits.before || row.integer(3) == 0) continue;
      old.push_back({row.integer(0), row.time(1), row.time(2)});
    }
  }
  for (const Old& task : old) {
    if (may_stay(limits, task.finished_at)) continue;
    remove_task(task.row);
    newest = std::max(newest, task.created_at);
  }
  if (newest != WallTime{}) sql_->note.run(std::to_string(to_unix_ms(newest) + 1));
  return !young && seen == rows;
}

void Pruner::remove_task(std::int64_t row) {
  for (Statement* drop :
       {&sql_->drop_transcript, &sql_->drop_results, &sql_->drop_executions, &sql_->drop_decisions,
        &sql_->drop_task_links, &sql_->drop_task_body, &sql_->drop_task}) {
    drop->run(row);
  }
}

}  // namespace davit::store
