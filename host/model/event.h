// What a webhook answers to a verified delivery: the host commits all of it together with the delivery.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"

namespace davit {

enum class AnswerStatus { Queued, Ignored, Error };

// Replaces the usual HTTP answer where the sender's protocol wants something else (a challenge, an empty
// 200).
struct HttpOverride {
  int status = 200;
  std::string content_type;
  std::string body;
};

// Who caused the event, by the sender's own id; `login` is for people.
struct Actor {
  std::string id;
  std::string login;
  std::string role;
};

// What the event is about; `key` is the unit of coalescing and of one-at-a-time work: "github:owner/name#12".
struct Entity {
  std::string key;
  std::string type;
  std::string title;
  std::string url;
  std::string group;  // key of what it belongs to: its repository, project or channel; may be empty
};

// What else the texts mention.
struct Link {
  std::string rel;
  std::string key;
  std::string url;
};

// A task somebody asks for. Nothing is stored yet.
struct NewTask {
  std::string id;  // empty: made when it is stored
  std::string agent;
  std::string task_type;  // word for metrics and filters: "issue_fix"
  std::string title;
  std::string payload = "{}";    // JSON
  int priority = 0;              // higher first, -100 to 100
  int max_retries = 3;           // attempts after the first; from the config of its agent
  bool awaits_approval = false;  // its agent needs a person's yes before it runs
  std::optional<WallTime> run_at;
  std::string entity;  // key of what it is about, may be empty
  std::string group;   // key of what that belongs to, where neither its event nor an earlier task says so
  std::string key;     // a queued task of the agent with the same key is replaced by this one; may be empty
};

enum class TaskActionKind { Approve, Reject, Retry, Cancel };
inline std::string_view to_string(TaskActionKind kind) {
  switch (kind) {
    case TaskActionKind::Approve:
      return "approve";
    case TaskActionKind::Reject:
      return "reject";
    case TaskActionKind::Retry:
      return "retry";
    case TaskActionKind::Cancel:
      return "cancel";
  }
  return "cancel";
}

// Something to do with tasks that exist, named by id or by entity (then the newest open one).
struct TaskAction {
  TaskActionKind kind = TaskActionKind::Approve;
  std::string task_id;
  std::string entity;
  std::string agent;  // with entity: only tasks of this agent, may be empty
  std::string comment;
  std::string content_hash;  // of what is approved or rejected, whole or its beginning
  std::string via;           // how it was said: "comment", "review", "button"; may be empty
};

// Where a sender wants to hear what becomes of what its delivery asks for.
struct Reply {
  std::string url;      // a secret: never logged or shown
  std::string body;     // JSON object; a text "{text}" in it stands for the sentence
  int posts = 5;        // at most
  Duration valid{0};    // from the moment the delivery came
  bool escape = false;  // & < > of the sentence become &amp; &lt; &gt;
};

struct WebhookAnswer {
  AnswerStatus status = AnswerStatus::Ignored;
  std::string message;
  std::string details = "{}";  // JSON object
  std::optional<HttpOverride> http;
  std::vector<NewTask> tasks;
  std::vector<TaskAction> actions;
  std::optional<Actor> actor;
  std::optional<Entity> entity;
  std::vector<Link> links;
  std::optional<Reply> reply;
};

}  // namespace davit
