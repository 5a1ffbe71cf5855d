#include "work_item/work_item.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "davit/failure.hpp"

namespace work {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;

constexpr std::int64_t kMostRounds = 1000;

std::string text_of(JsonView json, std::string_view name, const std::string& place) {
  const JsonView value = json[name];
  if (!value.is_null() && !value.is_string())
    throw Failure::permanent(place + std::string(name) + " must be a text");
  return std::string(value.string_or(""));
}

std::string repository_of(JsonView json, const std::string& place) {
  std::string repository = text_of(json, "repository", place);
  if (!repository.empty() && !is_repository(repository))
    throw Failure::permanent(place + "repository must be \"owner/name\"");
  return repository;
}

int number_of(JsonView json, std::int64_t least, std::int64_t most, const std::string& what) {
  if (!json.is_int() || json.int_or(0) < least || json.int_or(0) > most)
    throw Failure::permanent(what + " must be a whole number from " + std::to_string(least) + " to " +
                             std::to_string(most));
  return static_cast<int>(json.int_or(0));
}

// What of a payload says who sent it, and from which server.
Json sender_in(JsonView payload) {
  Json sender = Json::object();
  for (const std::string_view name : {"source", "sender"})
    if (!payload[name].is_null()) sender.set(name, Json(payload[name]));
  if (const JsonView url = payload["repository"]["url"]; url.is_string())
    sender.set("repository", Json::object({{"url", Json(url)}}));
  return sender;
}

Item from_work(JsonView json) {
  const std::string here = "work.";
  Item item;
  item.chain = text_of(json, "chain", here);
  if (const JsonView by = json["asked_by"]; !by.is_null()) {
    if (!by.is_object()) throw Failure::permanent("work.asked_by must be an object");
    item.asked_by = {text_of(by, "webhook", "work.asked_by."), Json(by["actor"]), Json(by["delivery"])};
  }
  item.request = request_from(json["request"]);
  item.repository = repository_of(json, here);
  item.default_branch = text_of(json, "default_branch", here);
  item.feedback = text_of(json, "feedback", here);
  if (!json["round"].is_null()) item.round = number_of(json["round"], 0, kMostRounds, "work.round");
  if (const JsonView pull = json["pull"]; !pull.is_null()) {
    if (!pull.is_object()) throw Failure::permanent("work.pull must be an object");
    item.pull = Pull{number_of(pull["number"], 1, std::numeric_limits<int>::max(), "work.pull.number"),
                     text_of(pull, "url", "work.pull."), text_of(pull, "branch", "work.pull."),
                     text_of(pull, "head_sha", "work.pull.")};
  }
  if (const JsonView plan = json["plan"]; !plan.is_null()) {
    if (!plan.is_object()) throw Failure::permanent("work.plan must be an object");
    item.plan = Plan(Json(plan));
    if (text_of(json, "plan_sha256", here) != item.plan->sha256)
      throw Failure::permanent(
          "work.plan_sha256 is not the hash of work.plan: the plan was changed on its way");
    item.plan->path = text_of(json, "plan_path", here);
  }
  item.source_sha256 = text_of(json, "source_sha256", here);
  if (const JsonView by = json["approved"]; !by.is_null()) {
    const std::string there = "work.approved.";
    if (!by.is_object()) throw Failure::permanent("work.approved must be an object");
    item.approved =
        Approved{text_of(by, "plan_sha256", there), text_of(by, "by", there), text_of(by, "actor_id", there),
                 text_of(by, "way", there), text_of(by, "content_hash", there)};
  }
  return item;
}

// The pull request a delivery of GitHub is about.
std::optional<Pull> pull_in(JsonView payload) {
  const JsonView pull = payload["pull_request"], issue = payload["issue"], run = payload["run"];
  const auto known = [](std::int64_t number) {
    return number > 0 && number <= std::numeric_limits<int>::max();
  };
  if (pull.is_object() && known(pull["number"].int_or(0)))
    return Pull{static_cast<int>(pull["number"].int_or(0)), std::string(pull["url"].string_or("")),
                std::string(pull["head"]["ref"].string_or("")),
                std::string(pull["head"]["sha"].string_or(""))};
  if (issue["is_pull_request"].bool_or(false) && known(issue["number"].int_or(0)))
    return Pull{static_cast<int>(issue["number"].int_or(0)), std::string(issue["url"].string_or("")), "", ""};
  if (known(run["pull_requests"][0].int_or(0)))
    return Pull{static_cast<int>(run["pull_requests"][0].int_or(0)), "",
                std::string(run["head_branch"].string_or("")), std::string(run["head_sha"].string_or(""))};
  return std::nullopt;
}

Item from_payload(JsonView payload, std::string_view title) {
  Item item;
  item.request = read_request(payload, title);
  const JsonView repository = payload["repository"];
  // A sender's word for it: only GitHub's names a repository of GitHub; by hand it is meant.
  if (item.request.source == "github") {
    item.repository = repository["full_name"].string_or("");
    item.default_branch = repository["default_branch"].string_or("");
    item.pull = pull_in(payload);
  } else if (item.request.source == "manual") {
    item.repository = repository_of(payload, "");
  }
  if (!is_repository(item.repository)) item.repository.clear();
  return item;
}

}  // namespace

bool is_repository(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.size() > 200) return false;
  for (const std::string_view part : {text.substr(0, slash), text.substr(slash + 1)}) {
    if (part.empty() || part == "." || part == ".." || part.front() == '-') return false;
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '_' || c == '.';
    });
    if (!plain) return false;
  }
  return true;
}

Plan::Plan(Json plan) : document(std::move(plan)), sha256(hex_sha256(document.dump())) {}

Item Item::from(JsonView payload, JsonView previous_result, std::string_view title) {
  if (const JsonView work = previous_result["work"]; !work.is_null()) return from_work(work);
  const JsonView rejected = previous_result["rejected"];
  if (!rejected.is_object()) return from_payload(payload, title);
  const JsonView work = rejected["output"]["work"];
  Item item = work.is_null() ? from_payload(payload, title) : from_work(work);
  item.feedback = rejected["comment"].string_or("");
  item.rejected =
      Rejected{std::string(rejected["by"].string_or("")), std::string(rejected["actor_id"].string_or("")),
               std::string(rejected["way"].string_or(""))};
  return item;
}

Item Item::from(const davit::AgentContext& context) {
  Item item = from(context.task.payload, context.previous_result, context.task.title);
  if (item.chain.empty()) item.chain = context.task_id;
  if (item.asked_by.webhook.empty())
    item.asked_by = {std::string(context.task.source), Json(context.task.actor),
                     sender_in(context.task.payload)};
  return item;
}

Json Item::json() const {
  Json json = Json::object({{"request", to_json(request)}});
  for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>("chain", chain),
                                    {"repository", repository},
                                    {"default_branch", default_branch},
                                    {"source_sha256", source_sha256},
                                    {"feedback", feedback}})
    if (!value.empty()) json.set(name, value);
  if (!asked_by.webhook.empty())
    json.set("asked_by", Json::object({{"webhook", asked_by.webhook},
                                       {"actor", asked_by.actor},
                                       {"delivery", asked_by.delivery}}));
  if (round > 0) json.set("round", round);
  if (pull) {
    Json about = Json::object({{"number", pull->number}});
    for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>("url", pull->url),
                                      {"branch", pull->branch},
                                      {"head_sha", pull->head_sha}})
      if (!value.empty()) about.set(name, value);
    json.set("pull", std::move(about));
  }
  if (plan) {
    json.set("plan", plan->document);
    json.set("plan_sha256", plan->sha256);
    if (!plan->path.empty()) json.set("plan_path", plan->path);
  }
  if (approved)
    json.set("approved", Json::object({{"plan_sha256", approved->plan_sha256},
                                       {"by", approved->by},
                                       {"actor_id", approved->actor_id},
                                       {"way", approved->way},
                                       {"content_hash", approved->content_hash}}));
  return json;
}

}  // namespace work
