// The answer of a webhook's hooks.
#include <algorithm>
#include <optional>
#include <utility>

#include "host/plugin/json_members.h"
#include "host/plugin/marshal.h"
#include "host/plugin/marshal_parts.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxHttpBody = 1u << 20;
constexpr std::size_t kMaxReplyBody = 16u << 10;

constexpr std::pair<std::string_view, TaskActionKind> kActions[] = {{"approve", TaskActionKind::Approve},
                                                                    {"reject", TaskActionKind::Reject},
                                                                    {"retry", TaskActionKind::Retry},
                                                                    {"cancel", TaskActionKind::Cancel}};
constexpr std::pair<std::string_view, AnswerStatus> kStatuses[] = {
    {"queued", AnswerStatus::Queued}, {"ignored", AnswerStatus::Ignored}, {"error", AnswerStatus::Error}};

template <typename Value, std::size_t N>
std::optional<Value> named(const std::pair<std::string_view, Value> (&table)[N], std::string_view name) {
  for (const auto& [word, value] : table) {
    if (word == name) return value;
  }
  return std::nullopt;
}

template <typename Value, std::size_t N>
std::string_view name_of(const std::pair<std::string_view, Value> (&table)[N], Value value) {
  for (const auto& [word, known] : table) {
    if (known == value) return word;
  }
  return table[0].first;
}

Result<TaskAction> action_from(const Members& members) {
  TaskAction action;
  auto kind = named(kActions, TRY(members.key("action")));
  if (!kind) return wrong(members.place("action"), "must be approve, reject, retry or cancel");
  action.kind = *kind;
  action.task_id = TRY(members.key("task_id", kMaxWord));
  action.entity = TRY(members.key("entity"));
  if (action.task_id.empty() && action.entity.empty()) {
    return wrong(members.place("task_id"), "or entity must say which task is meant");
  }
  action.agent = TRY(members.plugin_name("agent"));
  action.comment = TRY(members.sentence("comment", 16u << 10));
  action.content_hash = TRY(members.key("content_hash", 128));
  action.via = TRY(members.key("via", 32));
  return action;
}

Result<HttpOverride> http_from(const Members& members) {
  HttpOverride http;
  http.status = static_cast<int>(TRY(members.number("status", 200, 200, 599)));
  http.content_type = TRY(members.key("content_type", 128));
  // It becomes a header: nothing but what a header may hold.
  if (!std::all_of(http.content_type.begin(), http.content_type.end(),
                   [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return wrong(members.place("content_type"), "must be ASCII");
  }
  if (const JsonValue* body = members.find("body")) {
    if (!body->IsString()) return wrong(members.place("body"), "must be a text");
    if (body->GetStringLength() > kMaxHttpBody) return wrong(members.place("body"), "is larger than 1 MiB");
    http.body = std::string(view(*body));
  }
  return http;
}

Result<Reply> reply_from(const Members& members) {
  Reply reply;
  reply.url = TRY(members.key("url", kMaxUrl));
  if (reply.url.empty()) return wrong(members.place("url"), "is missing");
  if (TRY(members.object("body")) == nullptr) return wrong(members.place("body"), "is missing");
  reply.body = TRY(members.json("body", "{}", kMaxReplyBody));
  reply.posts = static_cast<int>(TRY(members.number("posts", reply.posts, 1, 20)));
  reply.valid = std::chrono::seconds(TRY(members.number("seconds", 1800, 1, 86'400)));
  const std::string escape = TRY(members.key("escape", kMaxWord));
  reply.escape = escape == "entities";
  // Half understood, the sentence could say something to the sender that nobody wrote.
  if (!escape.empty() && !reply.escape) return wrong(members.place("escape"), "must be entities, or absent");
  return reply;
}

}  // namespace

Result<WebhookAnswer> webhook_answer_from_json(std::string_view json) {
  JsonDocument document = TRY(object_from(json, "the answer"));
  Members members(document, "");
  WebhookAnswer answer;
  answer.tasks = TRY(tasks_from(members));
  auto take_action = [&](const Members& item) -> Result<> {
    answer.actions.push_back(TRY(action_from(item)));
    return {};
  };
  TRY(members.each("actions", take_action));
  // Without a word about it, the status follows from what is asked for.
  answer.status =
      answer.tasks.empty() && answer.actions.empty() ? AnswerStatus::Ignored : AnswerStatus::Queued;
  if (const JsonValue* object = TRY(members.object("response"))) {
    Members response(*object, "response");
    if (response.find("status")) {
      auto status = named(kStatuses, TRY(response.key("status")));
      if (!status) return wrong("response.status", "must be queued, ignored or error");
      answer.status = *status;
    }
    answer.message = TRY(response.sentence("message"));
    answer.details = TRY(response.json_object("details"));
    if (const JsonValue* http = TRY(response.object("http")))
      answer.http = TRY(http_from(Members(*http, "response.http")));
  }
  if (const JsonValue* object = TRY(members.object("actor"))) {
    Members actor(*object, "actor");
    answer.actor = Actor{TRY(actor.key("id")), TRY(actor.key("login")), TRY(actor.key("role", kMaxWord))};
  }
  if (const JsonValue* object = TRY(members.object("entity"))) {
    Members entity(*object, "entity");
    answer.entity = Entity{TRY(entity.key("key")), TRY(entity.key("type", kMaxWord)),
                           TRY(entity.sentence("title", kMaxTitle)), TRY(entity.key("url", kMaxUrl)),
                           TRY(entity.key("group"))};
    if (answer.entity->key.empty()) return wrong("entity.key", "is missing");
  }
  auto take_link = [&](const Members& item) -> Result<> {
    answer.links.push_back(
        Link{TRY(item.key("rel", kMaxWord)), TRY(item.key("key")), TRY(item.key("url", kMaxUrl))});
    return {};
  };
  TRY(members.each("links", take_link));
  if (const JsonValue* object = TRY(members.object("reply"))) {
    answer.reply = TRY(reply_from(Members(*object, "reply")));
  }
  return answer;
}

std::string to_json(const WebhookAnswer& answer) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("response");
  writer.StartObject();
  write_member(writer, "status", name_of(kStatuses, answer.status));
  write_member(writer, "message", answer.message);
  write_raw_member(writer, "details", answer.details);
  if (answer.http) {
    writer.Key("http");
    writer.StartObject();
    write_member(writer, "status", answer.http->status);
    write_member(writer, "content_type", answer.http->content_type);
    write_member(writer, "body", answer.http->body);
    writer.EndObject();
  }
  writer.EndObject();
  write_tasks(writer, answer.tasks);
  writer.Key("actions");
  writer.StartArray();
  for (const TaskAction& action : answer.actions) {
    writer.StartObject();
    write_member(writer, "action", name_of(kActions, action.kind));
    write_member(writer, "task_id", action.task_id);
    write_member(writer, "entity", action.entity);
    write_member(writer, "agent", action.agent);
    write_member(writer, "comment", action.comment);
    write_member(writer, "content_hash", action.content_hash);
    write_member(writer, "via", action.via);
    writer.EndObject();
  }
  writer.EndArray();
  if (answer.actor) {
    writer.Key("actor");
    write_actor(writer, *answer.actor);
  }
  if (answer.entity) {
    writer.Key("entity");
    writer.StartObject();
    write_member(writer, "key", answer.entity->key);
    write_member(writer, "type", answer.entity->type);
    write_member(writer, "title", answer.entity->title);
    write_member(writer, "url", answer.entity->url);
    write_member(writer, "group", answer.entity->group);
    writer.EndObject();
  }
  write_links(writer, answer.links);
  if (answer.reply) {
    writer.Key("reply");
    writer.StartObject();
    write_member(writer, "url", answer.reply->url);
    write_raw_member(writer, "body", answer.reply->body);
    write_member(writer, "posts", answer.reply->posts);
    write_member(writer, "seconds", static_cast<std::int64_t>(answer.reply->valid.count() / 1000));
    if (answer.reply->escape) write_member(writer, "escape", "entities");
    writer.EndObject();
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace davit::plugin
