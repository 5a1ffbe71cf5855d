#include "host/plugin/marshal_parts.h"

namespace davit::plugin {
namespace {

Result<NewTask> task_from(const Members& members) {
  NewTask task;
  task.agent = TRY(members.plugin_name("agent"));
  if (task.agent.empty())
    return wrong(members.place("agent"), "is missing: name the agent that shall do the work");
  task.task_type = TRY(members.key("task_type", kMaxWord));
  task.title = TRY(members.sentence("title", kMaxTitle));
  task.payload = TRY(members.json("payload", "{}", kMaxPayload));
  task.priority = static_cast<int>(TRY(members.number("priority", 0, -100, 100)));
  if (members.find("run_at")) {
    // Up to the year 9999.
    task.run_at = from_unix_ms(TRY(members.number("run_at", 0, 0, 253'402'300'799'999)));
  }
  task.entity = TRY(members.key("entity"));
  task.group = TRY(members.key("group"));
  task.key = TRY(members.key("key"));
  return task;
}

}  // namespace

Result<std::vector<NewTask>> tasks_from(const Members& members) {
  std::vector<NewTask> tasks;
  auto take_task = [&](const Members& item) -> Result<> {
    tasks.push_back(TRY(task_from(item)));
    return {};
  };
  TRY(members.each("tasks", take_task));
  return tasks;
}

void write_tasks(JsonWriter& writer, const std::vector<NewTask>& tasks) {
  writer.Key("tasks");
  writer.StartArray();
  for (const NewTask& task : tasks) {
    writer.StartObject();
    write_member(writer, "agent", task.agent);
    write_member(writer, "task_type", task.task_type);
    write_member(writer, "title", task.title);
    write_raw_member(writer, "payload", task.payload);
    write_member(writer, "priority", task.priority);
    if (task.run_at) write_member(writer, "run_at", to_unix_ms(*task.run_at));
    write_member(writer, "entity", task.entity);
    write_member(writer, "group", task.group);
    write_member(writer, "key", task.key);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_actor(JsonWriter& writer, const Actor& actor) {
  writer.StartObject();
  write_member(writer, "id", actor.id);
  write_member(writer, "login", actor.login);
  write_member(writer, "role", actor.role);
  writer.EndObject();
}

void write_links(JsonWriter& writer, const std::vector<Link>& links) {
  writer.Key("links");
  writer.StartArray();
  for (const Link& link : links) {
    writer.StartObject();
    write_member(writer, "rel", link.rel);
    write_member(writer, "key", link.key);
    write_member(writer, "url", link.url);
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace davit::plugin
