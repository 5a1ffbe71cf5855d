#include "event.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "../reading/excerpt.h"
#include "../reading/links.h"
#include "adf.h"

namespace jira {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using namespace reading;

constexpr std::string_view kEvents[] = {"issue_created",   "issue_updated",   "issue_deleted",
                                        "comment_created", "comment_updated", "comment_deleted"};
constexpr std::size_t kMaxChanges = 256;
constexpr std::size_t kMaxLabels = 1'000;  // before or after one of them

// A description or a comment: text in wiki markup, nothing, or a document.
void add_prose(Json& to, std::string_view name, JsonView value, const std::string& what) {
  if (value.is_object()) {
    const AdfText document = text_of_adf(value, kMaxText);
    add_text(to, name, document.text);
    if (document.cut) to.set("cut", true);
    return;
  }
  if (!value.is_null() && !value.is_string())
    throw Failure::invalid_input(what + " is neither text nor a document");
  add_text(to, name, value.string_or(""));
}

// Cloud names people by account id, Data Center by key and name.
Json person(JsonView user, const std::string& what) {
  Json json = Json::object();
  std::string id = id_or_none(user["accountId"], what + ".accountId");
  for (const char* member : {"key", "name"}) {
    if (id.empty()) id = cut(text_or_none(user[member], what + "." + member), kMaxId);
  }
  add_line(json, "id", id);
  add_line(json, "name", cut(text_or_none(user["name"], what + ".name"), kMaxId));
  add_line(json, "display_name", cut(text_or_none(user["displayName"], what + ".displayName"), kMaxId));
  add_line(json, "type", text_or_none(user["accountType"], what + ".accountType"));
  return json;
}

std::string name_of(JsonView thing, const std::string& what) {
  return std::string(text_or_none(object_or_none(thing, what)["name"], what + ".name"));
}

Json labels_of(JsonView labels) {
  Json json = Json::array();
  for (JsonView label : list_or_none(labels, "issue.fields.labels")) {
    if (json.size() == kMaxItems) break;
    json.push_back(cut(label.require_string("issue.fields.labels, an element,"), kMaxLine));
  }
  return json;
}

Json issue_json(JsonView issue) {
  const std::string_view key = issue["key"].require_string("issue.key");
  if (!is_jira_key(key)) throw Failure::invalid_input("issue.key is no key like TES-41");
  const std::string_view self = issue["self"].require_string("issue.self");
  const JsonView fields = object_or_none(issue["fields"], "issue.fields");
  Json json = Json::object({{"key", key}});
  add_line(json, "id", id_or_none(issue["id"], "issue.id"));
  json.set("project", key.substr(0, key.find('-')));
  add_line(json, "type", name_of(fields["issuetype"], "issue.fields.issuetype"));
  const JsonView status = object_or_none(fields["status"], "issue.fields.status");
  add_line(json, "status", name_of(status, "issue.fields.status"));
  if (status["statusCategory"]["key"] == "done") json.set("done", true);
  add_line(json, "priority", name_of(fields["priority"], "issue.fields.priority"));
  add_line(json, "summary", text_or_none(fields["summary"], "issue.fields.summary"));
  add_prose(json, "description", fields["description"], "issue.fields.description");
  json.set("labels", labels_of(fields["labels"]));
  json.set("url", std::string(self.substr(0, self.find("://"))) + "://" + site_of(self) + "/browse/" +
                      std::string(key));
  const JsonView reporter = object_or_none(fields["reporter"], "issue.fields.reporter");
  if (reporter.is_object()) json.set("reporter", person(reporter, "issue.fields.reporter"));
  return json;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty() && words.size() < kMaxLabels) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end != 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Of everything that changed, what decisions ask for.
Json changes_json(JsonView changelog) {
  Json json = Json::object();
  Json added = Json::array();
  std::size_t looked_at = 0;
  for (JsonView item : list_or_none(object_or_none(changelog, "changelog")["items"], "changelog.items")) {
    if (++looked_at > kMaxChanges) break;
    if (item["field"] != "labels" && item["field"] != "description") continue;
    const std::string_view from = text_or_none(item["fromString"], "changelog.items.fromString");
    const std::string_view to = text_or_none(item["toString"], "changelog.items.toString");
    if (item["field"] == "description") {
      json.set("description_before", cut(from, kMaxText));
      continue;
    }
    std::vector<std::string_view> before = words_of(from);
    std::sort(before.begin(), before.end());
    for (const std::string_view label : words_of(to)) {
      if (!std::binary_search(before.begin(), before.end(), label) && added.size() < kMaxItems)
        added.push_back(cut(label, kMaxLine));
    }
  }
  json.set("labels_added", std::move(added));
  return json;
}

Json comment_json(JsonView comment) {
  Json json = Json::object();
  add_line(json, "id", id_or_none(comment["id"], "comment.id"));
  add_prose(json, "body", comment["body"], "comment.body");
  const std::string_view created = text_or_none(comment["created"], "comment.created");
  if (text_or_none(comment["updated"], "comment.updated") != created) json.set("edited", true);
  const JsonView author = object_or_none(comment["author"], "comment.author");
  if (author.is_object()) json.set("author", person(author, "comment.author"));
  return json;
}

// Who caused the event; comment events of Cloud name nobody but the comment's authors.
std::pair<JsonView, const char*> user_of(JsonView body, JsonView comment) {
  const JsonView user = object_or_none(body["user"], "user");
  if (user.is_object()) return {user, "user"};
  const JsonView editor = object_or_none(comment["updateAuthor"], "comment.updateAuthor");
  if (editor.is_object()) return {editor, "comment.updateAuthor"};
  return {object_or_none(comment["author"], "comment.author"), "comment.author"};
}

}  // namespace

std::string site_of(std::string_view self) {
  const auto wrong = [] {
    return Failure::invalid_input("issue.self is no address of an issue in Jira's interface");
  };
  if (!self.starts_with("https://") && !self.starts_with("http://")) throw wrong();
  const std::string_view rest = self.substr(self.find("://") + 3);
  std::string site(rest.substr(0, std::min(rest.find("/rest/"), rest.size())));
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~:/[]").find(c) != std::string_view::npos;
  };
  if (site.size() == rest.size() || site.empty() || site.size() > 120 || site.front() == '/' ||
      !std::all_of(site.begin(), site.end(), good)) {
    throw wrong();
  }
  std::transform(site.begin(),
                 site.begin() + static_cast<std::ptrdiff_t>(std::min(site.find('/'), site.size())),
                 site.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return site;
}

davit::Parsed read_event(JsonView body) {
  if (!body.is_object()) throw Failure::invalid_input("the body is not a JSON object");
  std::string_view name = body["webhookEvent"].require_string("webhookEvent");
  constexpr std::string_view kPrefix = "jira:";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  if (std::find(std::begin(kEvents), std::end(kEvents), name) == std::end(kEvents))
    return davit::Ignored{"events " + std::string(cut(name, 64)) + " are not handled"};
  const bool about_comment = name.starts_with("comment_");
  if (about_comment && body["issue"].is_null()) {
    return davit::Ignored{
        "the comment names no issue; Data Center tells of it in an issue_updated event, too, which does"};
  }

  const JsonView comment =
      about_comment ? require_object(body["comment"], "comment") : object_or_none(body["comment"], "comment");
  const JsonView issue = require_object(body["issue"], "issue");
  Json event = Json::object({{"event", name}});
  add_line(event, "type", text_or_none(body["issue_event_type_name"], "issue_event_type_name"));
  const auto [user, what] = user_of(body, comment);
  if (user["accountId"].is_string()) event.set("cloud", true);
  event.set("issue", issue_json(issue));
  event.set("site", site_of(issue["self"].string_or("")));
  if (user.is_object()) event.set("user", person(user, what));
  if (name == "issue_updated") event.set("changes", changes_json(body["changelog"]));
  if (comment.is_object()) event.set("comment", comment_json(comment));
  return event;
}

}  // namespace jira
