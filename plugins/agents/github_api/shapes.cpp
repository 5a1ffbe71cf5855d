#include "github_api/shapes.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "davit/failure.hpp"

namespace github {
namespace {

using davit::Failure;
using davit::JsonView;

std::string text(JsonView json) { return std::string(json.string_or("")); }

std::string need_text(JsonView json, const std::string& what) {
  if (json.string_or("").empty()) throw Failure::permanent("GitHub's answer has no " + what);
  return text(json);
}

std::int64_t need_id(JsonView json, const std::string& what) {
  if (json.int_or(0) <= 0) throw Failure::permanent("GitHub's answer has no " + what);
  return json.int_or(0);
}

int need_number(JsonView json, const std::string& what) {
  const std::int64_t number = need_id(json, what);
  if (number > std::numeric_limits<int>::max()) throw Failure::permanent("GitHub's answer has no " + what);
  return static_cast<int>(number);
}

Repo repo_of(JsonView json) { return {text(json["owner"]["login"]), text(json["name"])}; }

Branch branch_of(JsonView json, const std::string& what) {
  return {repo_of(json["repo"]), need_text(json["ref"], what + ".ref"),
          need_text(json["sha"], what + ".sha")};
}

bool same_name(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

bool same(const Repo& a, const Repo& b) { return same_name(a.owner, b.owner) && same_name(a.name, b.name); }

Person person_of(JsonView json) {
  return {std::max<std::int64_t>(json["id"].int_or(0), 0), text(json["login"]), json["type"] == "Bot"};
}

Repository repository_of(JsonView json) {
  return {need_id(json["id"], "repository id"),
          {need_text(json["owner"]["login"], "repository owner"), need_text(json["name"], "repository name")},
          need_text(json["default_branch"], "default_branch"),
          json["private"].bool_or(true),
          json["fork"].bool_or(false),
          json["archived"].bool_or(false)};
}

Issue issue_of(JsonView json) {
  Issue issue{.number = need_number(json["number"], "issue number"),
              .title = text(json["title"]),
              .body = text(json["body"]),
              .url = text(json["html_url"]),
              .open = json["state"] == "open",
              .is_pull = json["pull_request"].is_object(),
              .author = person_of(json["user"]),
              .labels = {}};
  for (const JsonView label : json["labels"]) {
    // Old labels may be given by name alone.
    if (const std::string name = label.is_string() ? text(label) : text(label["name"]); !name.empty())
      issue.labels.push_back(name);
  }
  return issue;
}

Pull pull_of(JsonView json) {
  // `merged` is in the answer to a single one only.
  const bool merged = json["merged"].bool_or(false) || json["merged_at"].is_string();
  return {.number = need_number(json["number"], "pull request number"),
          .node_id = text(json["node_id"]),
          .title = text(json["title"]),
          .body = text(json["body"]),
          .url = text(json["html_url"]),
          .state = merged                    ? PullState::Merged
                   : json["state"] == "open" ? PullState::Open
                                             : PullState::Closed,
          .draft = json["draft"].bool_or(false),
          .author = person_of(json["user"]),
          .head = branch_of(json["head"], "head"),
          .base = branch_of(json["base"], "base")};
}

Comment comment_of(JsonView json) {
  return {need_id(json["id"], "comment id"), text(json["body"]), text(json["html_url"]),
          person_of(json["user"])};
}

ChangedFile changed_file_of(JsonView json) {
  return {.path = need_text(json["filename"], "file name"),
          .before = text(json["previous_filename"]),
          .status = text(json["status"]),
          .added = json["additions"].int_or(0),
          .removed = json["deletions"].int_or(0),
          .patch = text(json["patch"])};
}

CodeHit code_hit_of(JsonView json) {
  const JsonView repository = json["repository"];
  return {.repo = {need_text(repository["owner"]["login"], "repository owner"),
                   need_text(repository["name"], "repository name")},
          .path = need_text(json["path"], "path")};
}

}  // namespace github
