#include "work_item/request.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "davit/failure.hpp"
#include "davit/sha256.hpp"
#include "davit/signature.hpp"

namespace work {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;

std::string text(JsonView json) { return std::string(json.string_or("")); }

// The first that says something.
std::string first_of(std::initializer_list<JsonView> candidates) {
  for (const JsonView candidate : candidates)
    if (!candidate.string_or("").empty()) return text(candidate);
  return "";
}

void add(Request& request, std::string_view name, std::string text, std::string author = "") {
  if (!text.empty()) request.details.push_back({std::string(name), std::move(text), std::move(author)});
}

// What GitHub says of who wrote something: an object for an issue, for a comment its login alone in older
// payloads.
std::string login_of(JsonView author) {
  return author.is_object()
             ? first_of({author["login"], author["display_name"], author["name"], author["id"]})
             : text(author);
}

Request of_github(JsonView payload) {
  Request request;
  const JsonView run = payload["run"];
  const JsonView item = payload["pull_request"].is_object() ? payload["pull_request"] : payload["issue"];
  if (!item.is_object() && run.is_object()) {
    request.title = first_of({run["name"], run["head_branch"]});
    request.text = request.title + " ended with " + first_of({run["conclusion"], run["status"]});
    request.url = text(run["url"]);
    return request;
  }
  request.title = text(item["title"]);
  request.text = text(item["body"]);
  request.url = text(item["url"]);
  request.author = login_of(item["author"]);
  for (const char* name : {"comment", "review"})
    add(request, name, text(payload[name]["body"]), login_of(payload[name]["author"]));
  return request;
}

Request of_jira(JsonView payload) {
  const JsonView issue = payload["issue"];
  Request request{.source = {},
                  .title = text(issue["summary"]),
                  .text = text(issue["description"]),
                  .url = text(issue["url"]),
                  .author = login_of(issue["reporter"]),
                  .details = {}};
  add(request, "comment", text(payload["comment"]["body"]), login_of(payload["comment"]["author"]));
  return request;
}

// As a traceback reads that has its innermost frame first, as the payload has them.
std::string trace_of(JsonView exceptions) {
  std::string trace;
  for (const JsonView exception : exceptions) {
    trace += first_of({exception["type"]}) + ": " + text(exception["value"]) + "\n";
    for (const JsonView frame : exception["frames"]) {
      trace += "  at " + first_of({frame["function"], frame["module"]}) + " (" +
               first_of({frame["file"], frame["module"]});
      if (frame["line"].is_int()) trace += ":" + std::to_string(frame["line"].int_or(0));
      trace += ")\n";
      if (const std::string code = text(frame["code"]); !code.empty()) trace += "      " + code + "\n";
    }
  }
  return trace;
}

Request of_sentry(JsonView payload) {
  const JsonView issue = payload["issue"], event = payload["event"], metric = payload["metric_alert"];
  Request request;
  request.title = first_of({event["title"], issue["title"], metric["title"]});
  request.text = first_of({event["message"], metric["description"]});
  request.url = first_of({payload["url"], issue["url"], metric["url"]});
  add(request, "culprit", first_of({event["culprit"], issue["culprit"]}));
  add(request, "stack trace", trace_of(event["exceptions"]));
  std::string facts;
  for (const auto& [name, value] :
       {std::pair("level", first_of({event["level"], issue["level"]})),
        std::pair("environment", text(event["environment"])), std::pair("release", text(event["release"])),
        std::pair("platform", first_of({event["platform"], issue["platform"]})),
        std::pair("first seen", text(issue["first_seen"])),
        std::pair("alert rule", text(payload["alert"]["rule"]))})
    if (!value.empty()) facts += std::string(name) + ": " + value + "\n";
  add(request, "facts", facts);
  add(request, "comment", text(payload["comment"]["text"]), text(payload["actor"]["name"]));
  return request;
}

Request of_slack(JsonView payload) {
  Request request;
  request.text = first_of({payload["request"], payload["text"]});
  request.author = first_of({payload["user_name"], payload["user"]});
  return request;
}

Request of_others(JsonView payload, std::string_view source) {
  Request request{.source = {},
                  .title = first_of({payload["title"], payload["summary"]}),
                  .text = first_of({payload["text"], payload["request"], payload["description"]}),
                  .url = text(payload["url"]),
                  .author = login_of(payload["author"]),
                  .details = {}};
  // Who shaped it meant it for the agent; what it means is for the model to see.
  if (source != "manual" && !payload.empty()) add(request, "payload", payload.dump());
  return request;
}

}  // namespace

Request read_request(JsonView payload, std::string_view fallback_title) {
  const std::string_view source = payload["source"].string_or("manual");
  Request request = source == "github"   ? of_github(payload)
                    : source == "jira"   ? of_jira(payload)
                    : source == "sentry" ? of_sentry(payload)
                    : source == "slack"  ? of_slack(payload)
                                         : of_others(payload, source);
  request.source = source;
  if (request.title.empty()) request.title = fallback_title;
  return request;
}

// The length keeps what moves from one to the other from being the same.
std::string sha256_of(const Request& request) {
  return hex_sha256(std::to_string(request.title.size()) + "\n" + request.title + "\n" + request.text);
}

std::string hex_sha256(std::string_view text) { return davit::to_hex(davit::bytes_of(davit::sha256(text))); }

Json to_json(const Request& request) {
  Json json = Json::object();
  for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>("source", request.source),
                                    {"title", request.title},
                                    {"text", request.text},
                                    {"url", request.url},
                                    {"author", request.author}})
    if (!value.empty()) json.set(name, value);
  if (request.details.empty()) return json;
  Json details = Json::array();
  for (const Detail& detail : request.details) {
    Json entry = Json::object({{"name", detail.name}, {"text", detail.text}});
    if (!detail.author.empty()) entry.set("author", detail.author);
    details.push_back(std::move(entry));
  }
  json.set("details", std::move(details));
  return json;
}

Request request_from(JsonView json) {
  const auto member = [](JsonView of, std::string_view name, const std::string& place) {
    const JsonView value = of[name];
    if (!value.is_null() && !value.is_string())
      throw Failure::permanent(place + std::string(name) + " must be a text");
    return text(value);
  };
  if (!json.is_object()) throw Failure::permanent("work.request must be an object");
  const std::string here = "work.request.";
  Request request{.source = member(json, "source", here),
                  .title = member(json, "title", here),
                  .text = member(json, "text", here),
                  .url = member(json, "url", here),
                  .author = member(json, "author", here),
                  .details = {}};
  const JsonView details = json["details"];
  if (!details.is_null() && !details.is_array()) throw Failure::permanent(here + "details must be a list");
  for (const JsonView detail : details) {
    const std::string place = here + "details[" + std::to_string(request.details.size()) + "].";
    request.details.push_back(
        {member(detail, "name", place), member(detail, "text", place), member(detail, "author", place)});
  }
  return request;
}

}  // namespace work
