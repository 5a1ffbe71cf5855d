// A task's end and what tells of it are one transaction, so it is told once, whatever dies. While nobody has
// begun to tell of it, a later end of the same task takes its place: the key is the task's.
//
// What is told of one chain stands in one line (its entity is the chain), so the newest is told last. It is
// not about the thing that the chain is about: people who say "retry" there do not mean it.
#include "host/store/chain_ends.h"

#include <utility>

#include "host/base/json.h"
#include "host/store/reminders.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

std::string_view heading(std::string_view how) {
  if (how == kStoppedFailed) return "Failed: ";
  if (how == kStoppedRejected) return "Rejected: ";
  if (how == kStoppedAtDeadline) return "Not approved in time: ";
  if (how == kStoppedParked) return "Put aside: ";
  return "Cancelled: ";
}

}  // namespace

struct ChainEnds::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  // The newest that is known of its work: what it gave itself, or was given.
  Statement ended{db,
                  "SELECT t.id, coalesce(t.root, t.id), t.agent, t.title, t.entity, t.state, e.failure,"
                  " coalesce(nullif(r.output, 'null'), b.previous_result) FROM task t"
                  " JOIN task_body b ON b.row = t.row LEFT JOIN execution e ON e.row = t.execution"
                  " LEFT JOIN execution_result r ON r.row = t.execution WHERE t.row = ?1"};
  Statement first{db, "SELECT agent, source, task_type FROM task WHERE id = ?1"};
  Statement also{db, "SELECT key FROM task_also WHERE task = ?1 ORDER BY key"};
  Statement untold{db, "SELECT row FROM task WHERE key = ?1 AND state = 0 AND source = ?2"};
};

ChainEnds::ChainEnds(Database& database, const std::string& notify, Moves& moves, NewTasks& new_tasks)
    : notify_(notify), moves_(moves), new_tasks_(new_tasks), sql_(std::make_unique<Statements>(database)) {}
ChainEnds::~ChainEnds() = default;

void ChainEnds::tell(Batch& batch) {
  const std::vector<Stopped> all = std::exchange(batch.stopped, {});
  if (notify_.empty()) return;
  for (const Stopped& stopped : all) tell_of(batch, stopped);
}

void ChainEnds::tell_of(Batch& batch, const Stopped& stopped) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  NewTask task;
  std::string previous_result;
  {
    Cursor row = sql_->ended.query(stopped.row);
    if (!row.next() || row.view(2) == notify_) return;
    const StoredId root = row.id(1);
    Cursor first = sql_->first.query(root);
    const bool known = first.next();
    if (known) {
      const std::string_view source = first.view(1), type = first.view(2);
      const bool tells = first.view(0) == notify_ || (source == kChainEnd && type == kChainEnd) ||
                         (source == kReminderSource && type == kReminder);
      if (tells) return;
    }
    const std::string id = to_text(row.id(0));
    task.key = std::string(kChainEndKey) + id;
    task.entity = "chain:" + to_text(root);
    task.title = std::string(heading(stopped.how)) + row.text(3);
    previous_result = row.text(7);

    writer.StartObject();
    write_member(writer, "task_id", id);
    write_member(writer, "root", to_text(root));
    write_member(writer, "how", stopped.how);
    write_member(writer, "state", to_string(task_state_of(row.integer(5))));
    write_member(writer, "title", row.view(3));
    write_member(writer, "agent", row.view(2));
    if (row.is_null(4)) {
      write_null_member(writer, "entity");
    } else {
      write_member(writer, "entity", row.view(4));
    }
    // Who caused it: a webhook, "api", "cli", "schedule".
    if (known) {
      write_member(writer, "source", first.view(1));
    } else {
      write_null_member(writer, "source");
    }
    write_member(writer, "reason", stopped.reason);
    if (stopped.ran && !row.is_null(6)) {
      write_member(writer, "failure", row.view(6));
    } else {
      write_null_member(writer, "failure");
    }
  }
  writer.Key("also");
  writer.StartArray();
  for (Cursor key = sql_->also.query(stopped.row); key.next();) write_string(writer, key.view(0));
  writer.EndArray();
  writer.EndObject();

  task.agent = notify_;
  task.task_type = kChainEnd;
  task.payload = text_of(buffer);
  new_tasks_.create(batch, task, Origin{.source = kChainEnd, .previous_result = previous_result});
}

void ChainEnds::take_back(Batch& batch, const TaskRow& task) {
  std::erase_if(batch.stopped, [&](const Stopped& stopped) { return stopped.row == task.row; });
  std::vector<std::int64_t> rows;
  const std::string key = std::string(kChainEndKey) + to_text(task.id);
  for (Cursor row = sql_->untold.query(key, kChainEnd); row.next();) rows.push_back(row.integer(0));
  for (const std::int64_t row : rows) {
    if (const std::optional<TaskRow> untold = moves_.find(row))
      new_tasks_.give_way(batch, *untold, "task " + to_text(task.id) + " is tried again");
  }
}

}  // namespace davit::store
