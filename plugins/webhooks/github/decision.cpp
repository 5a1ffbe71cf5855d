// Rules in the order they are asked: what kind of event, then who, then what for. A sender is judged before
// anything it wrote is looked at. What a text asks for counts only as much as its author does: an issue's
// words by author_association, a label by the fact that only people with triage rights can set one.
#include "decision.h"

#include <algorithm>

#include "../reading/command.h"
#include "../reading/excerpt.h"
#include "../reading/lists.h"

namespace github {
namespace {

using davit::JsonView;
using reading::contains;
using reading::same_name;
using Move = Verdict::Move;

std::string text(std::string_view view) { return std::string(view); }
std::string quoted(std::string_view view) { return "'" + std::string(view) + "'"; }

Verdict nothing(std::string reason) { return {.move = Move::Nothing, .reason = std::move(reason)}; }

Verdict start(const std::string& agent, const std::string& task_type, std::string reason) {
  return {.move = Move::Start, .reason = std::move(reason), .agent = agent, .task_type = task_type};
}

std::string event_name(JsonView event) {
  const std::string_view action = event["action"].string_or("");
  return text(event["event"].string_or("")) + (action.empty() ? "" : "." + text(action));
}

// By login or by id; a login may be renamed, an id stays. A number is an id and never a login, which may be
// one: somebody could take the number of another as a name.
bool names(const std::vector<std::string>& list, JsonView person) {
  const std::string_view login = person["login"].string_or(""), id = person["id"].string_or("");
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
    const bool is_id = entry.find_first_not_of("0123456789") == std::string::npos;
    return is_id ? entry == id : same_name(entry, login);
  });
}

bool is_bot(JsonView person) {
  constexpr std::string_view kSuffix = "[bot]";
  const std::string_view login = person["login"].string_or("");
  return person["type"] == "Bot" ||
         (login.size() >= kSuffix.size() && login.substr(login.size() - kSuffix.size()) == kSuffix);
}

bool covers(const std::vector<std::string>& list, std::string_view repository) {
  return list.empty() || std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
           const bool whole_owner = entry.size() >= 2 && entry.substr(entry.size() - 2) == "/*";
           if (!whole_owner) return same_name(entry, repository);
           return same_name(entry.substr(0, entry.size() - 1),
                            repository.substr(0, repository.find('/') + 1));
         });
}

// Why nothing this sender does in this repository counts; empty if it does.
std::string refusal(const Settings& settings, JsonView event) {
  const JsonView sender = event["sender"];
  const std::string_view login = sender["login"].string_or("");
  const std::string_view repository = event["repository"]["full_name"].string_or("");
  if (login.empty()) return "nobody is named as sender";
  if (names(settings.ignore_senders, sender)) return "sender " + quoted(login) + " is in ignore_senders";
  // A run is judged by its branch: its sender is whoever pushed, which may be an agent of ours.
  const bool of_run = event["run"].is_object();
  if (!of_run && is_bot(sender) && !names(settings.allow_bots, sender))
    return "sender " + quoted(login) + " is a bot and not in allow_bots";
  if (!of_run && !settings.users.empty() && !names(settings.users, sender) &&
      !names(settings.allow_bots, sender))
    return "sender " + quoted(login) + " is not in users";
  if (!covers(settings.repositories, repository)) return text(repository) + " is not in repositories";
  return "";
}

// What an untrusted association is called; empty if `item` was written by somebody whose words count.
std::string distrust(const Settings& settings, JsonView item) {
  const std::string_view association = item["author_association"].string_or("");
  if (contains(settings.trusted_associations, association)) return "";
  return association.empty() ? "unknown" : text(association);
}

// Likewise of the author of an issue. An allowed bot is trusted by that.
std::string distrust_of_author(const Settings& settings, JsonView issue) {
  if (names(settings.allow_bots, issue["author"])) return "";
  // Servers that know no association send none; github.com always does.
  if (settings.trust_unknown_authors && !issue.has("author_association")) return "";
  return distrust(settings, issue);
}

// The first of `labels` that the issue has.
std::string label_of(const Settings& settings, JsonView issue) {
  for (JsonView label : issue["labels"]) {
    if (contains(settings.labels, label.string_or(""))) return text(label.string_or(""));
  }
  return "";
}

std::string marker_in(const Settings& settings, JsonView issue) {
  for (const std::string& marker : settings.text_markers) {
    for (const char* member : {"title", "body"}) {
      if (issue[member].string_or("").find(marker) != std::string_view::npos) return marker;
    }
  }
  return "";
}

Verdict decide_issue(const Settings& settings, JsonView event) {
  const JsonView issue = event["issue"];
  const std::string action = text(event["action"].string_or(""));
  if (!contains(settings.issue_actions, action)) return nothing(event_name(event) + " starts no work");
  if (issue["state"] == "closed") return nothing("the issue is closed");

  // Another program that tidies up an issue would start work at each of its changes.
  if (action == "edited" && is_bot(event["sender"])) return nothing("edits by bots start no work");

  if (action == "labeled") {
    // The label list would fire again at every later label.
    const std::string added = text(event["label"].string_or(""));
    if (!contains(settings.labels, added)) return nothing("label " + quoted(added) + " starts no work");
    // Nobody sets a label without triage rights, but a template does it in the name of whoever opens an
    // issue.
    const bool by_author = event["sender"]["id"] == issue["author"]["id"].string_or("");
    if (const std::string doubt = distrust_of_author(settings, issue); by_author && !doubt.empty()) {
      return nothing("label " + quoted(added) + " came with the issue, whose author is " + doubt +
                     ", which is not in trusted_associations");
    }
    return start(settings.agent, settings.task_type, "label " + quoted(added) + " was added");
  }

  std::string why;
  if (const std::string label = label_of(settings, issue); !label.empty()) {
    why = "the issue has label " + quoted(label);
  } else if (const std::string marker = marker_in(settings, issue); action == "opened" && !marker.empty()) {
    why = "the text has " + quoted(marker);
  }
  if (why.empty()) return nothing("neither a label nor a text that starts work");

  if (const std::string doubt = distrust_of_author(settings, issue); !doubt.empty())
    return nothing(why + ", but its author is " + doubt + ", which is not in trusted_associations");
  return start(settings.agent, settings.task_type, why);
}

// `comment` is a comment on an issue or a pull request, on lines of one, or a review.
Verdict decide_command(const Settings& settings, JsonView comment, const char* via) {
  const auto command = reading::read_command(comment["body"].string_or(""), settings.command_prefix);
  if (!command) return nothing("the comment is no command");
  const std::string said = settings.command_prefix + " " + text(reading::cut(command->verb, 32));
  if (const std::string doubt = distrust(settings, comment); !doubt.empty()) {
    return nothing(quoted(said) + " by an author who is " + doubt + ", which is not in trusted_associations");
  }

  if (command->verb == "run") {
    if (command->rest != settings.agent && !contains(settings.run_agents, command->rest)) {
      return nothing(quoted(said) +
                     " names no agent of run_agents: " + quoted(reading::cut(command->rest, 64)));
    }
    return start(text(command->rest), settings.task_type, quoted(said) + " was commented");
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
            .via = via};
  }
  return nothing(quoted(said) + " is no command: say approve, reject, retry, cancel or run <agent>");
}

Verdict decide_comment(const Settings& settings, JsonView event) {
  if (event["action"] != "created") return nothing(event_name(event) + " is not read for commands");
  return decide_command(settings, event["comment"], "comment");
}

// A review that begins with a command is that command, whatever else it says.
Verdict decide_review(const Settings& settings, JsonView event) {
  if (event["action"] != "submitted") return nothing(event_name(event) + " starts no work");
  const JsonView review = event["review"];
  const std::string_view body = review["body"].string_or("");
  if (reading::read_command(body, settings.command_prefix)) {
    Verdict verdict = decide_command(settings, review, "review");
    if (verdict.move == Move::Act && verdict.verb == davit::Verb::Approve &&
        review["state"] == "changes_requested")
      return nothing("the review asks for changes, so its command approves nothing");
    return verdict;
  }
  if (review["state"] != "approved") return nothing("the review approves nothing");
  if (!contains(settings.approve_by, "review"))
    return nothing("a review approves no task unless approve_by says so");
  if (const std::string doubt = distrust(settings, review); !doubt.empty())
    return nothing("the reviewer is " + doubt + ", which is not in trusted_associations");
  // An approval says nothing about what was pushed after it.
  const std::string_view commit = review["commit"].string_or("");
  if (event["pull_request"]["head"]["sha"] != commit)
    return nothing("the review is not of the pull request's last commit");
  const reading::Decided decided = reading::read_hash(body);
  return {.move = Move::Act,
          .reason = "the pull request was approved",
          .verb = davit::Verb::Approve,
          .content_hash = text(decided.hash),
          .via = "review"};
}

// Who can merge can write to the repository, which is more than any association says.
Verdict decide_merge(const Settings& settings) {
  if (!contains(settings.approve_by, "merge"))
    return nothing("a merge approves no task unless approve_by says so");
  return {.move = Move::Act,
          .reason = "the pull request was merged",
          .verb = davit::Verb::Approve,
          .via = "merge"};
}

Verdict decide_pull_request(const Settings& settings, JsonView event) {
  const std::string_view action = event["action"].string_or("");
  if (action == "closed" && event["pull_request"]["merged"].bool_or(false)) return decide_merge(settings);
  if (settings.review_agent.empty()) return nothing("no review_agent is set");
  if (action != "opened" && action != "reopened" && action != "synchronize" && action != "ready_for_review")
    return nothing(event_name(event) + " starts no review");
  const JsonView pull_request = event["pull_request"];
  if (pull_request["draft"].bool_or(false)) return nothing("the pull request is a draft");
  if (const std::string doubt = distrust(settings, pull_request); !doubt.empty())
    return nothing("the pull request's author is " + doubt + ", which is not in trusted_associations");
  return start(settings.review_agent, "code_review", "the pull request is to be reviewed");
}

Verdict decide_run(const Settings& settings, JsonView event) {
  const JsonView run = event["run"];
  if (event["event"] == "workflow_job")
    return nothing("a job is part of a workflow run, which is looked at as a whole");
  if (event["action"] != "completed") return nothing(event_name(event) + " is not the end of a run");
  if (!contains(settings.ci_events, event["event"].string_or("")))
    return nothing(event_name(event) + " is not in ci_events");
  const std::string conclusion = text(run["conclusion"].string_or(""));
  if (!contains(settings.ci_conclusions, conclusion))
    return nothing("conclusion " + quoted(conclusion) + " starts no work");
  if (settings.ci_agent.empty()) return nothing("no ci_agent is set");
  // A fork's branch is an outsider's code. Its runs name another repository, or none when the fork is gone;
  // check runs and suites name none at all, but have a branch only for this repository's own.
  const std::string_view here = event["repository"]["full_name"].string_or("");
  const std::string_view from = run["head_repository"].string_or("");
  const bool ours = !from.empty() ? same_name(from, here)
                                  : !run["pull_requests"].empty() ||
                                        (event["event"] != "workflow_run" && run["head_branch"].is_string());
  if (!ours) return nothing("the run is of a fork");
  return start(settings.ci_agent, "ci_failure", "the run ended with " + quoted(conclusion));
}

}  // namespace

Verdict decide(const Settings& settings, JsonView event) {
  const std::string_view name = event["event"].string_or("");
  if (name == "ping")
    return nothing("pong: deliveries of hook " + text(event["hook"]["id"].string_or("")) + " arrive");
  if (name == "push" || name == "installation") return nothing(event_name(event) + " starts no work");
  if (std::string why = refusal(settings, event); !why.empty()) return nothing(std::move(why));
  if (name == "issues") return decide_issue(settings, event);
  if (name == "issue_comment" || name == "pull_request_review_comment")
    return decide_comment(settings, event);
  if (name == "pull_request_review") return decide_review(settings, event);
  if (name == "pull_request") return decide_pull_request(settings, event);
  return decide_run(settings, event);
}

davit::Entity entity_of(JsonView event) {
  const std::string_view repository = event["repository"]["full_name"].string_or("");
  if (repository.empty()) return {};
  // GitHub finds a repository whatever the case of its name is; so must a key.
  const std::string base = "github:" + reading::lower(repository);
  for (const char* member : {"pull_request", "issue"}) {
    const JsonView item = event[member];
    if (!item.is_object()) continue;
    const bool pull = member[0] == 'p' || item["is_pull_request"].bool_or(false);
    return {.key = base + "#" + std::to_string(item["number"].int_or(0)),
            .type = pull ? "pull_request" : "issue",
            .title = text(item["title"].string_or("")),
            .url = text(item["url"].string_or("")),
            .group = base};
  }
  const JsonView run = event["run"];
  if (run["pull_requests"][0].is_int()) {
    const std::string number = std::to_string(run["pull_requests"][0].int_or(0));
    return {.key = base + "#" + number, .type = "pull_request", .group = base};
  }
  const std::string_view sha = run["head_sha"].string_or("");
  if (!sha.empty()) {
    return {.key = base + "@" + text(reading::cut(sha, 64)),
            .type = "commit",
            .title = text(run["name"].string_or("")),
            .url = text(run["url"].string_or("")),
            .group = base};
  }
  return {.key = base,
          .type = "repository",
          .url = text(event["repository"]["url"].string_or("")),
          .group = base};
}

}  // namespace github
