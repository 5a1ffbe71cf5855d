// The shape of a body is told by what `data` holds; each resource has its own member. A body of another shape
// than the header announces was either mixed up on its way or put under a wrong header on purpose.
#include "event.h"

#include <algorithm>
#include <string>
#include <utility>

#include "../reading/excerpt.h"
#include "davit/signature.hpp"
#include "stacktrace.h"

namespace sentry {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using namespace reading;

struct Shape {
  std::string_view resource;
  std::string_view member;  // of `data`, that no other resource has
};
constexpr Shape kShapes[] = {{"issue", "issue"},        {"event_alert", "event"},
                             {"error", "error"},        {"metric_alert", "metric_alert"},
                             {"comment", "comment_id"}, {"installation", "installation"}};

const Shape* shape_of(std::string_view resource) {
  const Shape* found = std::find_if(std::begin(kShapes), std::end(kShapes),
                                    [&](const Shape& shape) { return shape.resource == resource; });
  return found == std::end(kShapes) ? nullptr : found;
}

// The digits or letters behind `before` in an address: "…/issues/123/events/…" -> "123".
std::string_view part_behind(std::string_view url, std::string_view before) {
  const std::size_t at = url.find(before);
  if (at == std::string_view::npos) return {};
  url.remove_prefix(at + before.size());
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  std::size_t size = 0;
  while (size < url.size() && good(url[size])) ++size;
  return size > 64 ? std::string_view() : url.substr(0, size);
}

// "https://sentry.io/organizations/acme/issues/1/", "https://acme.sentry.io/issues/1/" -> "acme"
std::string_view organization_in(std::string_view url) {
  if (const std::string_view named = part_behind(url, "/organizations/"); !named.empty()) return named;
  const std::string_view host = url.substr(std::min(url.find("://"), url.size()));
  const std::size_t cloud = host.find(".sentry.io/issues/");
  const std::string_view label = part_behind(host, "://");
  return cloud != std::string_view::npos && label.size() + 3 == cloud ? label : std::string_view();
}

Json project_json(JsonView project) {
  Json json = Json::object();
  add_line(json, "id", id_or_none(project["id"], "data.issue.project.id"));
  add_line(json, "slug", text_or_none(project["slug"], "data.issue.project.slug"));
  add_line(json, "name", text_or_none(project["name"], "data.issue.project.name"));
  return json;
}

Json issue_json(JsonView issue) {
  Json json = Json::object({{"id", require_id(issue["id"], "data.issue.id")}});
  add_line(json, "short_id", text_or_none(issue["shortId"], "data.issue.shortId"));
  add_line(json, "title", text_or_none(issue["title"], "data.issue.title"));
  add_line(json, "culprit", text_or_none(issue["culprit"], "data.issue.culprit"));
  add_line(json, "level", text_or_none(issue["level"], "data.issue.level"));
  add_line(json, "status", text_or_none(issue["status"], "data.issue.status"));
  add_line(json, "category", text_or_none(issue["issueCategory"], "data.issue.issueCategory"));
  add_line(json, "platform", text_or_none(issue["platform"], "data.issue.platform"));
  add_line(json, "count", id_or_none(issue["count"], "data.issue.count"));
  add_line(json, "first_seen", text_or_none(issue["firstSeen"], "data.issue.firstSeen"));
  add_line(json, "last_seen", text_or_none(issue["lastSeen"], "data.issue.lastSeen"));
  const std::string_view url = plain_url(issue["web_url"]);
  add_line(json, "url", url.empty() ? plain_url(issue["permalink"]) : url);
  return json;
}

// [["level", "error"], …], or [{"key": "level", "value": "error"}, …]
Json tags_json(JsonView tags, const std::string& what) {
  Json json = Json::object();
  for (JsonView tag : list_or_none(tags, what)) {
    if (json.size() == kMaxItems) break;
    const JsonView key = tag.is_array() ? tag[0] : tag["key"], value = tag.is_array() ? tag[1] : tag["value"];
    if (key.is_string() && value.is_string() && !key.string_or("").empty())
      json.set(cut(key.string_or(""), kMaxId), cut(value.string_or(""), kMaxLine));
  }
  return json;
}

// What an event says itself, or by a tag of the same name.
std::string_view said(JsonView event, JsonView tags, std::string_view name, const std::string& what) {
  const std::string_view text = text_or_none(event[name], what + "." + std::string(name));
  return text.empty() ? tags[name].string_or("") : text;
}

Json event_json(JsonView event, const std::string& what) {
  Json json = Json::object();
  add_line(json, "id", id_or_none(event["event_id"], what + ".event_id"));
  const Json tags = tags_json(event["tags"], what + ".tags");
  for (const char* name : {"title", "culprit", "level", "environment", "platform"})
    add_line(json, name, said(event, tags, name, what));
  const JsonView release = event["release"];  // the API writes an object
  add_line(json, "release",
           release.is_object() ? release["version"].string_or("") : said(event, tags, "release", what));
  add_line(json, "message", text_or_none(event["message"], what + ".message"));
  add_line(json, "time", event["datetime"].string_or(""));
  add_line(json, "url", plain_url(event["web_url"]));
  if (!tags.empty()) json.set("tags", tags);
  json.set("exceptions", exceptions_of(event));
  return json;
}

// What an event says about the issue it belongs to; older ones name it in addresses only.
Json issue_of_event(JsonView event, const std::string& what) {
  std::string id = id_or_none(event["issue_id"], what + ".issue_id");
  if (id.empty()) id = part_behind(event["issue_url"].string_or(""), "/issues/");
  if (id.empty()) id = part_behind(event["web_url"].string_or(""), "/issues/");
  if (id.empty()) throw Failure::invalid_input(what + ".issue_id is missing");
  Json json = Json::object({{"id", id}});
  const std::string_view url = plain_url(event["web_url"]);
  const std::size_t events = url.find("/events/");
  if (events != std::string_view::npos) add_line(json, "url", url.substr(0, events + 1));
  return json;
}

Json project_of_event(JsonView event, const std::string& what) {
  Json json = Json::object();
  const JsonView project = event["project"];
  if (project.is_int()) add_line(json, "id", id_or_none(project, what + ".project"));
  if (project.is_string()) add_line(json, "slug", project.string_or(""));
  // https://sentry.io/api/0/projects/<organization>/<slug>/events/…
  const std::string_view url = event["url"].string_or("");
  const std::string_view organization = part_behind(url, "/projects/");
  if (!organization.empty())
    add_line(json, "slug", part_behind(url, "/projects/" + std::string(organization) + "/"));
  return json;
}

Json metric_alert_json(JsonView data) {
  const JsonView alert = require_object(data["metric_alert"], "data.metric_alert");
  Json json = Json::object({{"id", require_id(alert["id"], "data.metric_alert.id")}});
  add_line(json, "title", text_or_none(alert["title"], "data.metric_alert.title"));
  const JsonView rule = object_or_none(alert["alert_rule"], "data.metric_alert.alert_rule");
  add_line(json, "rule", text_or_none(rule["name"], "data.metric_alert.alert_rule.name"));
  add_line(json, "description", text_or_none(data["description_text"], "data.description_text"));
  add_line(json, "url", plain_url(data["web_url"]));
  Json projects = Json::array();
  for (JsonView slug : list_or_none(alert["projects"], "data.metric_alert.projects")) {
    if (projects.size() < kMaxItems && slug.is_string())
      projects.push_back(cut(slug.string_or(""), kMaxLine));
  }
  json.set("projects", std::move(projects));
  return json;
}

Json actor_json(JsonView actor) {
  Json json = Json::object();
  add_line(json, "id", id_or_none(actor["id"], "actor.id"));
  add_line(json, "type", text_or_none(actor["type"], "actor.type"));
  add_line(json, "name", cut(text_or_none(actor["name"], "actor.name"), kMaxId));
  return json;
}

// Sentry repeats a delivery under a new Request-ID, and that header is not signed. So where an event happens
// once, its own id stands for it: the creation of an issue, an alert about one event, one error.
std::string delivery_id_of(JsonView event, std::string_view request_id) {
  const std::string name =
      std::string(event["resource"].string_or("")) + "." + std::string(event["action"].string_or(""));
  if (name == "issue.created") return name + ":" + std::string(event["issue"]["id"].string_or(""));
  const std::string_view event_id = event["event"]["id"].string_or("");
  if (!event_id.empty()) {
    const std::string rule =
        davit::to_hex(davit::bytes_of(davit::sha256(event["alert"]["rule"].string_or(""))));
    return name + ":" + std::string(event_id) + ":" + rule.substr(0, 16);
  }
  return request_id.empty() ? "" : name + ":" + std::string(request_id);
}

}  // namespace

bool is_known_resource(std::string_view name) { return shape_of(name) != nullptr; }

davit::Parsed read_event(std::string_view resource, JsonView body, std::string_view request_id) {
  if (!body.is_object()) throw Failure::invalid_input("the body is not a JSON object");
  const Shape& shape = *shape_of(resource);
  const JsonView data = require_object(body["data"], "data");
  for (const Shape& other : kShapes) {
    if (other.resource == shape.resource || !data.has(other.member) || data.has(shape.member)) continue;
    return davit::Ignored{"Sentry-Hook-Resource says " + std::string(resource) + ", the body is that of " +
                          std::string(other.resource) + ": the header is not signed, so nothing is done"};
  }

  Json event = Json::object({{"resource", resource}});
  event.set("action", cut(body["action"].require_string("action"), 64));
  const JsonView installation = object_or_none(body["installation"], "installation");
  add_line(event, "installation", id_or_none(installation["uuid"], "installation.uuid"));
  const JsonView actor = object_or_none(body["actor"], "actor");
  if (actor.is_object()) event.set("actor", actor_json(actor));

  std::string_view organization =
      text_or_none(object_or_none(installation["organization"], "installation.organization")["slug"],
                   "installation.organization.slug");
  const auto named_in = [&](JsonView url) {
    if (organization.empty()) organization = organization_in(url.string_or(""));
  };
  if (resource == "issue") {
    const JsonView issue = require_object(data["issue"], "data.issue");
    event.set("issue", issue_json(issue));
    event.set("project", project_json(object_or_none(issue["project"], "data.issue.project")));
    named_in(issue["web_url"]);
    named_in(issue["permalink"]);
  } else if (resource == "event_alert" || resource == "error") {
    const std::string what = "data." + std::string(shape.member);
    const JsonView of = require_object(data[shape.member], what);
    event.set("event", event_json(of, what));
    event.set("issue", issue_of_event(of, what));
    event.set("project", project_of_event(of, what));
    named_in(of["web_url"]);
    const JsonView alert = object_or_none(data["issue_alert"], "data.issue_alert");
    std::string_view rule = text_or_none(data["triggered_rule"], "data.triggered_rule");
    if (rule.empty()) rule = text_or_none(alert["title"], "data.issue_alert.title");
    if (!rule.empty()) event.set("alert", Json::object({{"rule", cut(rule, kMaxLine)}}));
  } else if (resource == "metric_alert") {
    event.set("metric_alert", metric_alert_json(data));
    named_in(data["web_url"]);
  } else if (resource == "comment") {
    event.set("issue", Json::object({{"id", require_id(data["issue_id"], "data.issue_id")}}));
    Json comment = Json::object({{"id", require_id(data["comment_id"], "data.comment_id")}});
    add_text(comment, "text", text_or_none(data["comment"], "data.comment"));
    event.set("comment", std::move(comment));
    Json project = Json::object();
    add_line(project, "slug", text_or_none(data["project_slug"], "data.project_slug"));
    event.set("project", std::move(project));
  } else {
    const JsonView made = require_object(data["installation"], "data.installation");
    add_line(event, "installation", id_or_none(made["uuid"], "data.installation.uuid"));
  }
  if (organization.size() <= 64) add_line(event, "organization", organization);
  if (const std::string id = delivery_id_of(event, request_id); !id.empty()) event.set("delivery_id", id);
  return event;
}

}  // namespace sentry
