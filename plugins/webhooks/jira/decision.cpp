// Rules in the order they are asked: what kind of event, then who, then where, then what for. A person is
// judged before anything they wrote is looked at.
//
// What an update starts is judged by its change log: an issue keeps its label and its text, and would start
// work again at every later edit.
//
// One comment is told twice: Cloud sends comment_created with a short issue (and, at some sites, an
// issue_updated besides), Data Center sends comment_created without one and an issue_updated that holds both.
// Only one of the two is read, else one command would act twice.
#include "decision.h"

#include <algorithm>

#include "../reading/command.h"
#include "../reading/excerpt.h"
#include "../reading/lists.h"

namespace jira {
namespace {

using davit::JsonView;
using reading::contains;
using reading::contains_name;
using Move = Verdict::Move;

std::string text(std::string_view view) { return std::string(view); }
std::string quoted(std::string_view view) { return "'" + std::string(view) + "'"; }

Verdict nothing(std::string reason) { return {.move = Move::Nothing, .reason = std::move(reason)}; }

Verdict start(const std::string& agent, std::string reason) {
  return {.move = Move::Start, .reason = std::move(reason), .agent = agent};
}

bool names(const std::vector<std::string>& list, JsonView person) {
  return contains(list, person["id"].string_or("")) ||
         (person["name"].is_string() && contains(list, person["name"].string_or("")));
}

// "Test User (5c5f88…)": the id is what a list wants.
std::string shown(JsonView person) {
  const std::string id = text(person["id"].string_or(""));
  const std::string_view name = person["display_name"].string_or(person["name"].string_or(""));
  return name.empty() || name == id ? id : text(name) + " (" + id + ")";
}

// Why nothing this person does in this project counts; empty if it does.
std::string refusal(const Settings& settings, JsonView event) {
  const JsonView user = event["user"], issue = event["issue"];
  if (user["id"].string_or("").empty()) return "nobody is named as user";
  if (names(settings.ignore_users, user)) return "user " + shown(user) + " is in ignore_users";
  const bool named = names(settings.users, user);
  if (user["type"] == "app" && !names(settings.allow_bots, user))
    return "user " + shown(user) + " is an app and not in allow_bots";
  // Cloud tells what each account is. Data Center knows persons only, and tells nothing.
  const std::string_view account = user["type"].string_or("");
  const bool known = account == "app" || account == "atlassian" || account == "customer" ||
                     (account.empty() && !event["cloud"].bool_or(false));
  if (!known && !named && !names(settings.command_users, user))
    return "user " + shown(user) + " has an account of " +
           (account.empty() ? "no type" : "the unknown type " + quoted(account)) +
           " and is neither in users nor in command_users";
  if (user["type"] == "customer" && !settings.allow_customers && !named)
    return "user " + shown(user) + " is a customer of a service desk, and allow_customers is not set";
  if (!settings.users.empty() && !named && user["type"] != "app")
    return "user " + shown(user) + " is not in users";
  const std::string_view project = issue["project"].string_or("");
  if (!settings.projects.empty() && !contains_name(settings.projects, project))
    return "project " + text(project) + " is not in projects";
  const std::string_view type = issue["type"].string_or("");
  if (!settings.issue_types.empty() && !contains_name(settings.issue_types, type))
    return "issue type " + quoted(type) + " is not in issue_types";
  return "";
}

// The first of `labels` among those of the event; "" if there is none.
std::string label_among(const Settings& settings, JsonView labels) {
  for (JsonView label : labels) {
    if (contains(settings.labels, label.string_or(""))) return text(label.string_or(""));
  }
  return "";
}

Verdict decide_issue(const Settings& settings, JsonView event) {
  const std::string_view name = event["event"].string_or("");
  const JsonView issue = event["issue"], changes = event["changes"];
  if (!contains(settings.events, name)) return nothing(text(name) + " is not in events");
  if (issue["done"].bool_or(false)) return nothing("the issue is done");
  // What another program changes may be an answer to what an agent did, and so on without end.
  if (name == "issue_updated" && event["user"]["type"] == "app")
    return nothing("updates by apps start no work");
  const bool by_change = name == "issue_updated" && !settings.any_update;

  if (const std::string label = label_among(settings, by_change ? changes["labels_added"] : issue["labels"]);
      !label.empty()) {
    return start(settings.agent, by_change ? "label " + quoted(label) + " was added"
                                           : "the issue has label " + quoted(label));
  }
  const std::string_view description = issue["description"].string_or("");
  for (const std::string& marker : settings.text_markers) {
    if (description.find(marker) == std::string_view::npos) continue;
    const JsonView before = changes["description_before"];
    if (by_change && (!before.is_string() || before.string_or("").find(marker) != std::string_view::npos))
      continue;
    return start(settings.agent, by_change ? quoted(marker) + " was added to the description"
                                           : "the description has " + quoted(marker));
  }
  return nothing(by_change ? "the update adds neither a label nor a text that starts work"
                           : "neither a label nor a text that starts work");
}

Verdict decide_command(const Settings& settings, JsonView event) {
  const JsonView user = event["user"], comment = event["comment"];
  const auto command = reading::read_command(comment["body"].string_or(""), settings.command_prefix);
  if (!command) return nothing("the comment is no command");
  const std::string said = settings.command_prefix + " " + text(reading::cut(command->verb, 32));
  if (comment["edited"].bool_or(false)) return nothing(quoted(said) + " is in a comment that was edited");
  if (!contains(settings.command_users, "*") && !names(settings.command_users, user))
    return nothing(quoted(said) + " by " + shown(user) + ", who is not in command_users");

  if (command->verb == "run") {
    if (command->rest != settings.agent && !contains(settings.run_agents, command->rest))
      return nothing(quoted(said) +
                     " names no agent of run_agents: " + quoted(reading::cut(command->rest, 64)));
    return start(text(command->rest), quoted(said) + " was commented");
  }
  struct Named {
    std::string_view name;
    davit::Verb verb;
  };
  constexpr Named kVerbs[] = {{"approve", davit::Verb::Approve},
                              {"reject", davit::Verb::Reject},
                              {"retry", davit::Verb::Retry},
                              {"cancel", davit::Verb::Cancel}};
  for (const Named& known : kVerbs) {
    if (known.name != command->verb) continue;
    const reading::Decided decided = reading::read_hash(command->rest);
    return {.move = Move::Act,
            .reason = quoted(said) + " was commented",
            .verb = known.verb,
            .content_hash = text(decided.hash),
            .comment = text(decided.rest),
            .via = "comment"};
  }
  return nothing(quoted(said) + " is no command: say approve, reject, retry, cancel or run <agent>");
}

// The event in which this server's comments are read.
std::string_view comments_from(const Settings& settings, JsonView event) {
  if (settings.comments_from != "auto") return settings.comments_from;
  return event["cloud"].bool_or(false) ? "comment_created" : "issue_updated";
}

Verdict decide_comment(const Settings& settings, JsonView event) {
  const std::string_view from = comments_from(settings, event);
  if (event["event"] == from) return decide_command(settings, event);
  return nothing("comments of this server are read from " + text(from) +
                 " events (comments_from), which tell of the same comment");
}

}  // namespace

Verdict decide(const Settings& settings, JsonView event) {
  const std::string_view name = event["event"].string_or(""), type = event["type"].string_or("");
  if (name == "issue_deleted") return nothing("a deleted issue starts no work");
  if (name == "comment_updated" || name == "comment_deleted")
    return nothing(text(name) + " is not read for commands");
  if (std::string why = refusal(settings, event); !why.empty()) return nothing(std::move(why));
  if (name == "comment_created") return decide_comment(settings, event);

  // A comment that was only changed or taken away comes in the same shape.
  const bool new_comment = name == "issue_updated" && event["comment"].is_object() &&
                           type != "issue_comment_edited" && type != "issue_comment_deleted";
  if (!new_comment) return decide_issue(settings, event);
  Verdict by_comment = decide_comment(settings, event);
  if (by_comment.move != Move::Nothing) return by_comment;
  Verdict by_issue = decide_issue(settings, event);
  return by_issue.move != Move::Nothing ? by_issue : by_comment;
}

davit::Entity entity_of(JsonView event) {
  const JsonView issue = event["issue"];
  const std::string key =
      "jira:" + text(event["site"].string_or("")) + "/" + text(issue["key"].string_or(""));
  return {.key = key,
          .type = "issue",
          .title = text(issue["summary"].string_or("")),
          .url = text(issue["url"].string_or("")),
          .group = key.substr(0, key.rfind('-'))};  // PROJ of PROJ-12
}

}  // namespace jira
