// A reminder moves next_at on in the transaction that makes it, and so is made once, whatever dies. With
// somebody to notify, the first one is due at once: it tells that the wait has begun.
#include "host/store/reminders.h"

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/json.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

constexpr int kMostAtOnce = 100;  // a batch others wait for

}  // namespace

struct Reminders::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement due{db,
                "SELECT task, asked_at, deadline, reminders FROM approval INDEXED BY approval_next"
                " WHERE next_at IS NOT NULL AND next_at <= ?1 ORDER BY next_at LIMIT ?2"};
  Statement next{db,
                 "SELECT next_at FROM approval INDEXED BY approval_next WHERE next_at IS NOT NULL"
                 " ORDER BY next_at LIMIT 1"};
  Statement reminded{db, "UPDATE approval SET reminders = ?2, next_at = ?3 WHERE task = ?1"};
  // Of what it was given, and of the first task of its chain.
  Statement about{db,
                  "SELECT t.title, b.previous_result, r.source FROM task t JOIN task_body b ON b.row = t.row"
                  " LEFT JOIN task r ON r.id = coalesce(t.root, t.id) WHERE t.row = ?1"};
  Statement also{db, "SELECT key FROM task_also WHERE task = ?1 ORDER BY key"};
  Statement ended{db,
                  "INSERT INTO decision (task, at, kind, by_whom, way, comment, content_hash)"
                  " VALUES (?1, ?2, ?3, 'davit', 'deadline', ?4, ?5)"};
};

struct Reminders::Due {
  TaskRow task;
  WallTime asked_at{};
  std::optional<WallTime> deadline;
  int reminders = 0;
};

Reminders::Reminders(Database& database, const ApprovalRules& rules, Moves& moves, Approvals& approvals,
                     NewTasks& new_tasks)
    : rules_(rules),
      moves_(moves),
      approvals_(approvals),
      new_tasks_(new_tasks),
      sql_(std::make_unique<Statements>(database)) {}
Reminders::~Reminders() = default;

std::optional<WallTime> Reminders::work_off(Batch& batch) {
  std::vector<Due> all;
  {
    Cursor row = sql_->due.query(batch.now, kMostAtOnce);
    while (row.next()) {
      Due& due = all.emplace_back();
      due.task.row = row.integer(0);
      due.asked_at = row.time(1);
      if (!row.is_null(2)) due.deadline = row.time(2);
      due.reminders = static_cast<int>(row.integer(3));
    }
  }
  for (Due& due : all) {
    const std::optional<TaskRow> task = moves_.find(due.task.row);
    if (!task) continue;
    due.task = *task;
    if (due.deadline && *due.deadline <= batch.now) {
      end(batch, due);
    } else {
      remind(batch, due);
    }
  }
  Cursor next = sql_->next.query();
  return next.next() ? std::optional(next.time(0)) : std::nullopt;
}

void Reminders::remind(Batch& batch, const Due& due) {
  std::optional<WallTime> next = due.deadline;
  if (rules_.remind_after) {
    const WallTime again = batch.now + *rules_.remind_after;
    next = next ? std::min(*next, again) : again;
  }
  sql_->reminded.run(due.task.row, due.reminders + 1, next);
  batch.decided.push_back({"reminder", "timer"});
  batch.changes.push_back({Change::Kind::TaskChanged, to_text(due.task.id), due.task.agent, std::nullopt,
                           TaskState::AwaitingApproval});
  // Nobody is told by an agent that waits for the same person.
  if (rules_.notify.empty() || rules_.notify == due.task.agent) return;

  std::string title, previous_result, source;
  {
    Cursor row = sql_->about.query(due.task.row);
    if (row.next()) {
      title = row.text(0);
      previous_result = row.text(1);
      source = row.text(2);
    }
  }
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "task_id", to_text(due.task.id));
  write_member(writer, "root", to_text(due.task.root));
  if (source.empty()) {
    write_null_member(writer, "source");
  } else {
    write_member(writer, "source", source);
  }
  write_member(writer, "title", title);
  write_member(writer, "agent", due.task.agent);
  write_member(writer, "entity", due.task.entity);
  const std::string content = approvals_.content_of(due.task.row);
  write_member(writer, "content_hash", content);
  write_member(writer, "waiting_since", to_iso8601(due.asked_at));
  if (due.deadline) {
    write_member(writer, "deadline", to_iso8601(*due.deadline));
  } else {
    write_null_member(writer, "deadline");
  }
  write_member(writer, "reminder", due.reminders);
  if (const auto refused = approvals_.refusal_of(due.task.row, content)) {
    writer.Key("refused");
    writer.StartObject();
    write_member(writer, "by", refused->by);
    write_member(writer, "way", refused->way);
    write_member(writer, "why", refused->comment);
    writer.EndObject();
  } else {
    write_null_member(writer, "refused");
  }
  writer.Key("also");
  writer.StartArray();
  for (Cursor key = sql_->also.query(due.task.row); key.next();) write_string(writer, key.view(0));
  writer.EndArray();
  writer.EndObject();
  NewTask task;
  task.agent = rules_.notify;
  task.task_type = kReminder;
  task.title = "Approval wanted: " + title;
  task.payload = text_of(buffer);
  task.key = "approval:" + to_text(due.task.id);
  // What is told of one chain is told in turn, as its end is.
  task.entity = "chain:" + to_text(due.task.root);
  new_tasks_.create(batch, task,
                Origin{.source = kReminderSource,
                       .delivery = due.task.delivery,
                       .previous_result = previous_result});
}

void Reminders::end(Batch& batch, const Due& due) {
  const std::string why = "nobody approved it by " + to_iso8601(*due.deadline);
  const bool park = rules_.park_at_deadline;
  sql_->ended.run(due.task.row, batch.now, park ? "parked" : "reject", why,
                  approvals_.content_of(due.task.row));
  batch.decided.push_back({park ? "parked" : "reject", "deadline"});
  moves_.move(batch, due.task,
              {.to = park ? TaskState::Parked : TaskState::Cancelled,
               .attempt = due.task.attempt,
               .crashes = due.task.crashes,
               .losses = due.task.losses,
               .error = why,
               .stops = Stops::AtDeadline});
}

}  // namespace davit::store
