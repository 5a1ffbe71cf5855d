// What a plugin asks the host to do: tasks to enqueue, actions on tasks that exist, who and what it is about.
// The shapes are those of abi/webhook.h; empty members are left out.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/host.hpp"
#include "davit/json.hpp"

namespace davit {
inline namespace sdk {

// A task for an agent.
struct NewTask {
  std::string agent = {};      // required
  std::string task_type = {};  // e.g. "bug_fix"
  std::string title = {};
  Json payload = {};                // what the agent gets to work on
  int priority = 0;                 // the greater one goes first
  std::optional<Time> run_at = {};  // not before
  std::string entity = {};  // tasks about the same one run one after another; default: the answer's entity
  std::string group = {};   // what that belongs to (a repository, a project), where the host does not know it
  std::string key = {};     // same key, same agent: replaces the input of a queued task; default: the entity

  Json to_json() const&;
  Json to_json() &&;  // gives the payload away instead of copying it
  static NewTask from_json(JsonView json);
};

enum class Verb { Approve, Reject, Retry, Cancel };

// Something to do with a task that exists, named by its id or by what it is about.
struct TaskAction {
  Verb action = Verb::Approve;
  std::string task_id = {};
  std::string entity = {};
  std::string agent = {};  // with entity: only this agent's tasks
  std::string comment = {};
  std::string content_hash = {};  // decide about what has this hash, or one that begins so (12 digits)
  std::string via = {};           // how it was said: "comment", "review", "button"

  Json to_json() const;
};

// Who caused the event.
struct Actor {
  std::string id = {};
  std::string login = {};
  std::string role = {};

  bool empty() const { return id.empty() && login.empty() && role.empty(); }
  Json to_json() const;
};

// What the event is about: an issue, a pull request.
struct Entity {
  std::string key = {};  // unique within the webhook, e.g. "octo/repo#7"
  std::string type = {};
  std::string title = {};
  std::string url = {};
  std::string group = {};  // key of what it belongs to: its repository, project or channel

  bool empty() const { return key.empty() && type.empty() && title.empty() && url.empty(); }
  Json to_json() const;
};

// What else is mentioned.
struct Link {
  std::string rel = {};
  std::string key = {};
  std::string url = {};

  Json to_json() const;
};

// Where the sender wants to hear what becomes of the tasks and actions; the host posts a few sentences there.
struct Reply {
  enum class Escape { None, Entities };  // Entities: & < > as &amp; &lt; &gt;

  std::string url = {};                                   // https, of a host the operator allows; a secret
  Json body = Json::object({{"text", "{text}"}});         // what is posted; a text "{text}" is the sentence
  int posts = 5;                                          // at most
  std::chrono::seconds valid = std::chrono::minutes(30);  // after the delivery came
  Escape escape = Escape::None;

  Json to_json() const;
};

// Replaces the usual HTTP answer where the sender's protocol demands it.
struct HttpAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
};

enum class Outcome { Queued, Ignored, Error };

// The answer of WebhookHandler::handle.
//
//   return Answer::queued("Planning issue 7").task({.agent = "planning-agent", .title = title}).about({.key =
//   "o/r#7"});
class Answer {
 public:
  static Answer queued(std::string message) { return Answer(Outcome::Queued, std::move(message)); }
  static Answer ignored(std::string message) { return Answer(Outcome::Ignored, std::move(message)); }
  static Answer error(std::string message) { return Answer(Outcome::Error, std::move(message)); }
  // Answers with exactly this, for protocols that ask for it.
  static Answer of_http(HttpAnswer answer) { return Answer(Outcome::Ignored, "").http(std::move(answer)); }

  Answer& task(NewTask value) & { return tasks.push_back(std::move(value)), *this; }
  Answer& action(TaskAction value) & { return actions.push_back(std::move(value)), *this; }
  Answer& by(Actor value) & { return actor = std::move(value), *this; }
  Answer& about(Entity value) & { return entity = std::move(value), *this; }
  Answer& link(Link value) & { return links.push_back(std::move(value)), *this; }
  Answer& reply_to(Reply value) & { return reply = std::move(value), *this; }
  Answer& detail(std::string_view name, Json value) & { return details.set(name, std::move(value)), *this; }
  Answer& http(HttpAnswer value) & { return http_answer = std::move(value), *this; }
  Answer&& task(NewTask value) && { return std::move(task(std::move(value))); }
  Answer&& action(TaskAction value) && { return std::move(action(std::move(value))); }
  Answer&& by(Actor value) && { return std::move(by(std::move(value))); }
  Answer&& about(Entity value) && { return std::move(about(std::move(value))); }
  Answer&& link(Link value) && { return std::move(link(std::move(value))); }
  Answer&& reply_to(Reply value) && { return std::move(reply_to(std::move(value))); }
  Answer&& detail(std::string_view name, Json value) && { return std::move(detail(name, std::move(value))); }
  Answer&& http(HttpAnswer value) && { return std::move(http(std::move(value))); }

  Outcome status;
  std::string message;
  Json details;
  std::optional<HttpAnswer> http_answer;
  std::vector<NewTask> tasks;
  std::vector<TaskAction> actions;
  Actor actor;
  Entity entity;
  std::vector<Link> links;
  std::optional<Reply> reply;

  Json to_json() const&;
  Json to_json() &&;  // gives the tasks' payloads away instead of copying them

 private:
  Answer(Outcome outcome, std::string text) : status(outcome), message(std::move(text)) {}
};

namespace detail {

struct TextMember {
  std::string_view name;
  const std::string& text;
};

inline Json texts(std::initializer_list<TextMember> members) {
  Json json = Json::object();
  for (const TextMember& member : members) {
    if (!member.text.empty()) json.set(member.name, member.text);
  }
  return json;
}

template <class Item>
Json list(const std::vector<Item>& items) {
  Json json = Json::array();
  for (const Item& item : items) json.push_back(item.to_json());
  return json;
}

}  // namespace detail

inline Json NewTask::to_json() const& { return NewTask(*this).to_json(); }

inline Json NewTask::to_json() && {
  if (agent.empty()) throw Failure::internal("a task names no agent: set NewTask::agent");
  Json json = detail::texts({{"agent", agent},
                             {"task_type", task_type},
                             {"title", title},
                             {"entity", entity},
                             {"group", group},
                             {"key", key}});
  if (!payload.is_null()) json.set("payload", std::move(payload));
  if (priority != 0) json.set("priority", priority);
  if (run_at) json.set("run_at", unix_ms(*run_at));
  return json;
}

inline NewTask NewTask::from_json(JsonView json) {
  NewTask task{.agent = std::string(json["agent"].string_or("")),
               .task_type = std::string(json["task_type"].string_or("")),
               .title = std::string(json["title"].string_or("")),
               .payload = Json(json["payload"]),
               .priority = static_cast<int>(json["priority"].int_or(0)),
               .entity = std::string(json["entity"].string_or("")),
               .group = std::string(json["group"].string_or("")),
               .key = std::string(json["key"].string_or(""))};
  if (json["run_at"].is_int()) task.run_at = time_from_unix_ms(json["run_at"].int_or(0));
  return task;
}

inline Json TaskAction::to_json() const {
  constexpr std::string_view kNames[] = {"approve", "reject", "retry", "cancel"};
  Json json = detail::texts({{"task_id", task_id},
                             {"entity", entity},
                             {"agent", agent},
                             {"comment", comment},
                             {"content_hash", content_hash},
                             {"via", via}});
  json.set("action", kNames[static_cast<std::size_t>(action)]);
  return json;
}

inline Json Actor::to_json() const { return detail::texts({{"id", id}, {"login", login}, {"role", role}}); }

inline Json Entity::to_json() const {
  return detail::texts({{"key", key}, {"type", type}, {"title", title}, {"url", url}, {"group", group}});
}

inline Json Link::to_json() const { return detail::texts({{"rel", rel}, {"key", key}, {"url", url}}); }

inline Json Reply::to_json() const {
  Json json = Json::object({{"url", url}, {"body", body}, {"posts", posts}});
  json.set("seconds", static_cast<std::int64_t>(valid.count()));
  if (escape == Escape::Entities) json.set("escape", "entities");
  return json;
}

inline Json Answer::to_json() const& { return Answer(*this).to_json(); }

inline Json Answer::to_json() && {
  constexpr std::string_view kNames[] = {"queued", "ignored", "error"};
  Json response = Json::object({{"status", kNames[static_cast<std::size_t>(status)]}, {"message", message}});
  if (details.is_object()) response.set("details", std::move(details));
  if (http_answer) {
    response.set("http", Json::object({{"status", http_answer->status},
                                       {"content_type", http_answer->content_type},
                                       {"body", http_answer->body}}));
  }
  Json json = Json::object();
  json.set("response", std::move(response));
  if (!tasks.empty()) {
    Json list = Json::array();
    for (NewTask& task : tasks) list.push_back(std::move(task).to_json());
    json.set("tasks", std::move(list));
  }
  if (!actions.empty()) json.set("actions", detail::list(actions));
  if (!actor.empty()) json.set("actor", actor.to_json());
  if (!entity.empty()) json.set("entity", entity.to_json());
  if (!links.empty()) json.set("links", detail::list(links));
  if (reply) json.set("reply", reply->to_json());
  return json;
}

}  // namespace sdk
}  // namespace davit
