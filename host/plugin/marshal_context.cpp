// What an agent gets for an execution.
#include "host/plugin/marshal.h"
#include "host/plugin/marshal_parts.h"

namespace davit::plugin {
namespace {

void write_approval(JsonWriter& writer, const TaskDecision& approval) {
  writer.StartObject();
  write_member(writer, "by", approval.by);
  write_member(writer, "actor_id", approval.actor_id);
  write_member(writer, "way", approval.way);
  write_member(writer, "at", to_unix_ms(approval.at));
  write_member(writer, "content_hash", approval.content_hash);
  writer.EndObject();
}

}  // namespace

std::string agent_context_json(const ClaimedTask& task, std::string_view config_json, WallTime deadline,
                               const ExecutionPlace& place) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "task_id", task.task_id);
  write_member(writer, "session_id", task.session_id);
  write_member(writer, "attempt", task.attempt);
  write_member(writer, "max_retries", task.max_retries);
  write_member(writer, "chain_depth", task.chain_depth);
  writer.Key("task");
  writer.StartObject();
  write_member(writer, "task_id", task.task_id);
  write_member(writer, "agent", task.agent);
  write_member(writer, "task_type", task.task_type);
  write_member(writer, "source", task.source);
  write_member(writer, "title", task.title);
  write_raw_member(writer, "payload", task.payload);
  if (task.entity.empty()) {
    write_null_member(writer, "entity");
  } else {
    // The shape of a webhook's answer; of an entity the task keeps the key.
    writer.Key("entity");
    writer.StartObject();
    write_member(writer, "key", task.entity);
    writer.EndObject();
  }
  if (task.actor) {
    writer.Key("actor");
    write_actor(writer, *task.actor);
  } else {
    write_null_member(writer, "actor");
  }
  write_links(writer, task.links);
  write_member(writer, "created_at", to_unix_ms(task.created_at));
  writer.EndObject();
  write_raw_member(writer, "config", config_json);
  write_raw_member(writer, "previous_result", task.previous_result);
  write_member(writer, "deadline_unix_ms", to_unix_ms(deadline));
  write_member(writer, "workspace", place.workspace);
  write_member(writer, "state_folder", place.state_folder);
  writer.Key("sandbox");
  writer.StartObject();
  write_member(writer, "command", place.sandbox.command);
  write_member(writer, "required", place.sandbox.required);
  writer.EndObject();
  if (task.approval) {
    writer.Key("approval");
    write_approval(writer, *task.approval);
  } else {
    write_null_member(writer, "approval");
  }
  if (task.budget_micro_usd) {
    write_member(writer, "budget_usd", static_cast<double>(*task.budget_micro_usd) / 1e6);
  } else {
    write_null_member(writer, "budget_usd");
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace davit::plugin
