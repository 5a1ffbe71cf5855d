#include "host/store/task_index.h"

#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr int kStep = 128;  // tasks; a few milliseconds

}  // namespace

struct TaskIndex::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement reached{db, "SELECT reached FROM task_search_state"};
  Statement newest{db, "SELECT row, created_at FROM task ORDER BY row DESC LIMIT 1"};
  Statement note_turn{db, "INSERT INTO task_turn (row) VALUES (?1)"};
  Statement add{db,
                "INSERT INTO task_search (rowid, title, entity, error)"
                " SELECT row, words_apart(title), words_apart(entity), words_apart(error) FROM task"
                " WHERE row = ?1"};
  // An index without content of its own has to be told what it held.
  Statement drop{db,
                 "INSERT INTO task_search (task_search, rowid, title, entity, error)"
                 " SELECT 'delete', row, words_apart(title), words_apart(entity), words_apart(error) FROM task"
                 " WHERE row = ?1"};
  Statement last_of_step{db,
                         "SELECT max(row) FROM (SELECT row FROM task WHERE row > ?1 ORDER BY row LIMIT ?2)"};
  Statement add_many{db,
                     "INSERT INTO task_search (rowid, title, entity, error)"
                     " SELECT row, words_apart(title), words_apart(entity), words_apart(error) FROM task"
                     " WHERE row > ?1 AND row <= ?2 ORDER BY row"};
  Statement count_made{db,
                       "INSERT INTO task_made (hour, agent, tasks) SELECT created_at / 3600000, agent, count(*)"
                       " FROM task WHERE row > ?1 AND row <= ?2 GROUP BY 1, 2"
                       " ON CONFLICT (hour, agent) DO UPDATE SET tasks = tasks + excluded.tasks"};
  Statement note_reached{db, "UPDATE task_search_state SET reached = ?1"};
};

TaskIndex::TaskIndex(Database& database) : sql_(std::make_unique<Statements>(database)) {
  {
    Cursor row = sql_->reached.query();
    if (row.next()) now_.reached = row.integer(0);
  }
  Cursor row = sql_->newest.query();
  if (row.next()) {
    now_.newest = row.integer(0);
    now_.last_made = row.time(1);
  }
  committed_ = now_;
}

TaskIndex::~TaskIndex() = default;

void TaskIndex::made(std::int64_t row, WallTime created_at) {
  if (created_at < now_.last_made) sql_->note_turn.run(row);
  now_.newest = row;
  now_.last_made = created_at;
}

void TaskIndex::before_change(std::int64_t row) {
  if (row <= now_.reached) sql_->drop.run(row);
}

void TaskIndex::after_change(std::int64_t row) {
  if (row <= now_.reached) sql_->add.run(row);
}

void TaskIndex::step() {
  std::int64_t last = now_.newest;  // if those behind are gone
  {
    Cursor row = sql_->last_of_step.query(now_.reached, kStep);
    if (row.next() && !row.is_null(0)) last = row.integer(0);
  }
  sql_->add_many.run(now_.reached, last);
  sql_->count_made.run(now_.reached, last);
  sql_->note_reached.run(last);
  now_.reached = last;
}

}  // namespace davit::store
