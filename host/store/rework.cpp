#include "host/store/rework.h"

#include "host/base/json.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {

struct Rework::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement before{db,
                   "SELECT t.agent, t.task_type, t.title, t.entity, t.rank, t.max_retries, t.chain_depth, "
                   "t.needs_approval, t.parent, r.output, t.row, " +
                       std::string(kTaskBodyColumns) +
                       " FROM task t JOIN task_body b ON b.row = t.row"
                       " LEFT JOIN execution_result r ON r.row = t.execution WHERE t.id = ?1"};
};

Rework::Rework(Database& database, const ApprovalRules& rules, NewTasks& new_tasks)
    : rules_(rules), new_tasks_(new_tasks), sql_(std::make_unique<Statements>(database)) {}
Rework::~Rework() = default;

bool Rework::send_back(Batch& batch, const TaskRow& rejected, const Rejection& rejection) {
  if (rejected.parent == StoredId{}) return false;
  NewTask task;
  TaskBody body;
  StoredId parent;
  std::int64_t before = 0;
  int depth = 1;
  std::string output = "null";
  {
    Cursor row = sql_->before.query(rejected.parent);
    if (!row.next()) return false;
    const auto limit = rules_.reworks.find(row.view(0));
    if (limit == rules_.reworks.end() || rejected.rework >= limit->second) return false;
    task.agent = row.text(0);
    task.task_type = row.text(1);
    task.title = row.text(2);
    task.entity = row.text(3);
    task.priority = static_cast<int>(-row.integer(4));
    task.max_retries = static_cast<int>(row.integer(5));
    depth = static_cast<int>(row.integer(6));
    // What it is given is not what was approved.
    task.awaits_approval = row.integer(7) != 0;
    parent = row.id(8);
    if (!row.is_null(9)) output = row.text(9);
    before = row.integer(10);
    body = read_task_body(row, 11);
  }
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("rejected");
  writer.StartObject();
  write_member(writer, "comment", rejection.comment);
  write_member(writer, "by", rejection.by);
  write_member(writer, "actor_id", rejection.actor_id);
  write_member(writer, "way", rejection.way);
  write_member(writer, "content_hash", rejection.content_hash);
  write_raw_member(writer, "output", output);
  writer.EndObject();
  writer.EndObject();
  const std::string previous_result(text_of(buffer));
  const std::string chain = names_to_json(body.chain);
  task.payload = body.payload;
  new_tasks_.create(batch, task,
                Origin{.source = "chain",
                       .actor = body.actor ? &*body.actor : nullptr,
                       .links = &body.links,
                       .entity = rejected.entity,
                       .group = body.group,
                       .delivery = rejected.delivery,
                       .also_of = rejected.row,
                       .parent = parent,
                       .root = rejected.root,
                       .beside = before,
                       .chain_depth = depth,
                       .rework = rejected.rework + 1,
                       .previous_result = previous_result,
                       .chain = chain});
  return true;
}

}  // namespace davit::store
