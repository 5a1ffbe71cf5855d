// The shape of a body is told by which of a few members it has; each event has its own set. A body of another
// set than the header announces was either mixed up on its way or put under a wrong header on purpose: a
// comment says less about who may do what than an issue that a maintainer labelled.
#include "event.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "../reading/excerpt.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;

enum Mark : std::uint32_t {
  kIssue = 1u << 0,
  kComment = 1u << 1,
  kPullRequest = 1u << 2,
  kReview = 1u << 3,
  kCheckRun = 1u << 4,
  kWorkflowRun = 1u << 5,
  kWorkflowJob = 1u << 6,
  kCommits = 1u << 7,
  kZen = 1u << 8,
  kCheckSuite = 1u << 9,
  kOther = 1u << 10,  // what makes it an event that is none of ours
};

struct MarkName {
  std::string_view member;
  std::uint32_t mark;
};
constexpr MarkName kMarks[] = {
    {"issue", kIssue},
    {"comment", kComment},
    {"pull_request", kPullRequest},
    {"review", kReview},
    {"check_run", kCheckRun},
    {"check_suite", kCheckSuite},
    {"workflow_run", kWorkflowRun},
    {"workflow_job", kWorkflowJob},
    {"commits", kCommits},
    {"zen", kZen},
    {"thread", kOther},
    {"discussion", kOther},
    {"deployment", kOther},
    {"deployment_status", kOther},
    {"sub_issue", kOther},
    {"parent_issue", kOther},
    {"blocking_issue", kOther},
    {"blocked_issue", kOther},
    {"alert", kOther},
    {"release", kOther},
};

struct Shape {
  std::string_view event;
  std::uint32_t marks;
};
constexpr Shape kShapes[] = {
    {"issues", kIssue},
    {"issue_comment", kIssue | kComment},
    {"pull_request", kPullRequest},
    {"pull_request_review", kPullRequest | kReview},
    {"pull_request_review_comment", kPullRequest | kComment},
    {"check_run", kCheckRun},
    {"check_suite", kCheckSuite},
    {"workflow_run", kWorkflowRun},
    {"workflow_job", kWorkflowJob},
    {"push", kCommits},
    {"ping", kZen},
    {"installation", 0},
};

const Shape* shape_of(std::string_view event) {
  for (const Shape& shape : kShapes) {
    if (shape.event == event) return &shape;
  }
  return nullptr;
}

std::uint32_t marks_of(JsonView body) {
  std::uint32_t marks = 0;
  for (const auto& [name, value] : body.members()) {
    if (value.is_null()) continue;
    for (const MarkName& entry : kMarks) {
      if (entry.member == name) marks |= entry.mark;
    }
  }
  // A job may name the deployment it does.
  if (marks & kWorkflowJob) marks &= ~static_cast<std::uint32_t>(kOther);
  return marks;
}

bool installation_shape(JsonView body) {
  return body["installation"].is_object() && body["repository"].is_null() &&
         body["repositories_added"].is_null();
}

std::string id_of(JsonView id) { return id.is_int() ? std::to_string(id.int_or(0)) : std::string(); }

// Members of another type than expected count as absent here.
void add_line(Json& json, std::string_view name, JsonView value) {
  reading::add_line(json, name, value.string_or(""));
}

void add_text(Json& json, std::string_view name, JsonView value) {
  reading::add_text(json, name, value.string_or(""));
}

Json person(JsonView user) {
  Json json = Json::object();
  if (user["id"].is_int()) json.set("id", id_of(user["id"]));
  reading::add_line(json, "login", reading::cut(user["login"].string_or(""), reading::kMaxId));
  add_line(json, "type", user["type"]);
  return json;
}

// owner/name, as agents will put it into paths and addresses.
std::string_view full_name_of(JsonView repository) {
  const std::string_view name = repository["full_name"].require_string("repository.full_name");
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  const std::size_t slash = name.find('/');
  constexpr std::size_t kLongest = 160;  // GitHub's are at most 39 and 100; a part of keys
  if (name.size() > kLongest || slash == std::string_view::npos || slash == 0 || slash + 1 == name.size() ||
      name.find('/', slash + 1) != std::string_view::npos || !std::all_of(name.begin(), name.end(), good) ||
      name.substr(slash + 1) == "." || name.substr(slash + 1) == "..") {
    throw Failure::invalid_input("repository.full_name is not owner/name");
  }
  return name;
}

Json repository_json(JsonView repository) {
  Json json = Json::object({{"full_name", full_name_of(repository)}});
  add_line(json, "clone_url", repository["clone_url"]);
  add_line(json, "default_branch", repository["default_branch"]);
  add_line(json, "url", repository["html_url"]);
  return json;
}

// What issues and pull requests have in common.
Json issue_json(JsonView issue, std::string_view what) {
  const std::int64_t number = issue["number"].require_int(std::string(what) + ".number");
  if (number < 1) throw Failure::invalid_input(std::string(what) + ".number is below 1");
  Json json = Json::object({{"number", number}});
  add_line(json, "title", issue["title"]);
  add_text(json, "body", issue["body"]);
  add_line(json, "url", issue["html_url"]);
  add_line(json, "state", issue["state"]);
  Json labels = Json::array();
  for (JsonView label : issue["labels"]) {
    if (labels.size() == reading::kMaxItems) break;
    if (label["name"].is_string())
      labels.push_back(reading::cut(label["name"].string_or(""), reading::kMaxLine));
  }
  json.set("labels", std::move(labels));
  if (issue["user"].is_object()) json.set("author", person(issue["user"]));
  add_line(json, "author_association", issue["author_association"]);
  // Something else than text is not the same as nothing, which old servers send.
  if (issue.has("author_association") && !json.has("author_association")) json.set("author_association", "");
  if (issue["pull_request"].is_object()) json.set("is_pull_request", true);
  return json;
}

Json pull_request_json(JsonView pull_request) {
  Json json = issue_json(pull_request, "pull_request");
  if (pull_request["merged"].is_bool()) json.set("merged", pull_request["merged"].bool_or(false));
  if (pull_request["draft"].is_bool()) json.set("draft", pull_request["draft"].bool_or(false));
  Json head = Json::object();
  add_line(head, "ref", pull_request["head"]["ref"]);
  add_line(head, "sha", pull_request["head"]["sha"]);
  add_line(head, "repository", pull_request["head"]["repo"]["full_name"]);
  json.set("head", std::move(head));
  Json base = Json::object();
  add_line(base, "ref", pull_request["base"]["ref"]);
  json.set("base", std::move(base));
  return json;
}

// A comment or a review.
Json remark_json(JsonView remark) {
  Json json = Json::object({{"id", id_of(remark["id"])}});
  add_line(json, "state", remark["state"]);
  add_text(json, "body", remark["body"]);
  add_line(json, "url", remark["html_url"]);
  if (remark["user"].is_object()) json.set("author", person(remark["user"]));
  add_line(json, "author_association", remark["author_association"]);
  return json;
}

Json review_json(JsonView review) {
  Json json = remark_json(review);
  add_line(json, "commit", review["commit_id"]);
  return json;
}

// A check run, a check suite, a workflow run or a job of one.
Json run_json(JsonView run) {
  Json json = Json::object({{"id", id_of(run["id"])}});
  for (const char* name : {"name", "status", "conclusion", "head_sha", "head_branch"})
    add_line(json, name, run[name]);
  if (!json.has("name")) add_line(json, "name", run["app"]["name"]);
  if (!json.has("head_branch")) add_line(json, "head_branch", run["check_suite"]["head_branch"]);
  add_line(json, "head_repository", run["head_repository"]["full_name"]);
  add_line(json, "url", run["html_url"]);
  Json numbers = Json::array();
  for (JsonView pull_request : run["pull_requests"]) {
    if (numbers.size() < reading::kMaxItems && pull_request["number"].is_int())
      numbers.push_back(pull_request["number"]);
  }
  json.set("pull_requests", std::move(numbers));
  return json;
}

Json push_json(JsonView body) {
  Json json = Json::object({{"commits", body["commits"].size()}});
  for (const char* name : {"ref", "before", "after"}) add_line(json, name, body[name]);
  for (const char* name : {"deleted", "forced"}) json.set(name, body[name].bool_or(false));
  return json;
}

JsonView require_object(JsonView value, std::string_view event, std::string_view member) {
  if (!value.is_object()) {
    throw Failure::invalid_input("the body of an event " + std::string(event) + " has no object '" +
                                 std::string(member) + "'");
  }
  return value;
}

}  // namespace

bool is_known_event(std::string_view name) { return shape_of(name) != nullptr; }

davit::Parsed read_event(std::string_view name, JsonView body) {
  if (!body.is_object()) throw Failure::invalid_input("the body is not a JSON object");
  const Shape& shape = *shape_of(name);
  const std::uint32_t marks = marks_of(body);
  const bool fits = marks == shape.marks && (marks != 0 || installation_shape(body));
  if (!fits && (marks != 0 || installation_shape(body))) {
    return davit::Ignored{
        "X-GitHub-Event says " + std::string(name) +
        ", the body is that of another event: the header is not signed, so nothing is done"};
  }
  if (!fits) throw Failure::invalid_input("the body is not that of an event " + std::string(name));

  const auto object = [&](std::string_view member) { return require_object(body[member], name, member); };
  Json event = Json::object({{"event", name}});
  add_line(event, "action", body["action"]);
  if (!(marks & kZen) && marks != 0)
    event.set("repository", repository_json(object("repository")));
  else if (body["repository"].is_object())
    event.set("repository", repository_json(body["repository"]));
  if (body["sender"].is_object()) event.set("sender", person(body["sender"]));
  if (marks & kIssue) event.set("issue", issue_json(object("issue"), "issue"));
  if (marks & kPullRequest) event.set("pull_request", pull_request_json(object("pull_request")));
  if (marks & kComment) event.set("comment", remark_json(object("comment")));
  if (marks & kReview) event.set("review", review_json(object("review")));
  if (marks & kCheckRun) event.set("run", run_json(object("check_run")));
  if (marks & kCheckSuite) event.set("run", run_json(object("check_suite")));
  if (marks & kWorkflowRun) event.set("run", run_json(object("workflow_run")));
  if (marks & kWorkflowJob) event.set("run", run_json(object("workflow_job")));
  if (marks & kCommits) event.set("push", push_json(body));
  if (body["label"].is_object()) add_line(event, "label", body["label"]["name"]);
  if (marks & kZen) {
    Json hook = Json::object({{"id", id_of(body["hook_id"])}});
    add_line(hook, "zen", body["zen"]);
    event.set("hook", std::move(hook));
  }
  if (body["installation"].is_object()) {
    Json installation = Json::object({{"id", id_of(body["installation"]["id"])}});
    add_line(installation, "account", body["installation"]["account"]["login"]);
    event.set("installation", std::move(installation));
  }
  return event;
}

}  // namespace github
