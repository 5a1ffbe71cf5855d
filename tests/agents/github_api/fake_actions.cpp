// The fake's parts that are about limits, people, Apps, checks and hooks.
#include <algorithm>

#include "davit/failure.hpp"
#include "tests/agents/github_api/fake_github.h"
#include "tests/agents/github_api/fake_targets.h"

namespace davit::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string utc(std::chrono::sys_seconds time) {
  const std::time_t value = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&value, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

bool same_login(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::vector<std::string> FakeGithub::labels(int number) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const JsonView label : issues_.at(number).json["labels"])
    names.emplace_back(label["name"].string_or(""));
  return names;
}

void FakeGithub::run_ahead(seconds ahead) {
  std::lock_guard lock(mutex_);
  ahead_ = ahead;
}

void FakeGithub::limit_to(int requests, seconds window) {
  std::lock_guard lock(mutex_);
  remaining_ = allowed_ = requests;
  window_ = window;
  reset_ = now() + window;
}

void FakeGithub::watch_spacing() {
  std::lock_guard lock(mutex_);
  watches_spacing_ = true;
}

void FakeGithub::take_app(const FakeApp& app, seconds life) {
  std::lock_guard lock(mutex_);
  app_ = &app;
  life_ = life;
}

void FakeGithub::revoke_tokens() {
  std::lock_guard lock(mutex_);
  tokens_.clear();
}

Json FakeGithub::asked_token() {
  std::lock_guard lock(mutex_);
  return Json::parse(asked_token_);
}

void FakeGithub::rename(std::int64_t id, const std::string& login) {
  std::lock_guard lock(mutex_);
  logins_[id] = login;
}

void FakeGithub::remove_person(std::int64_t id) {
  std::lock_guard lock(mutex_);
  gone_.insert(id);
}

void FakeGithub::make_bot(std::int64_t id) {
  std::lock_guard lock(mutex_);
  bots_.insert(id);
}

void FakeGithub::permit(std::int64_t id, const std::string& permission, const std::string& role) {
  std::lock_guard lock(mutex_);
  permissions_[id] = {permission, role.empty() ? permission : role};
}

void FakeGithub::add_check_run(Json run) {
  std::lock_guard lock(mutex_);
  check_runs_.push_back(std::move(run));
}

void FakeGithub::add_status(Json status) {
  std::lock_guard lock(mutex_);
  statuses_.push_back(std::move(status));
}

void FakeGithub::add_workflow_run(Json run) {
  std::lock_guard lock(mutex_);
  runs_.push_back(std::move(run));
}

void FakeGithub::end_reruns(const std::string& conclusion) {
  std::lock_guard lock(mutex_);
  reruns_end_ = conclusion;
}

void FakeGithub::add_log(std::int64_t job, const std::string& text) {
  std::lock_guard lock(mutex_);
  logs_[job] = text;
}

void FakeGithub::add_code(const std::string& repository, const std::string& path) {
  std::lock_guard lock(mutex_);
  const std::size_t slash = repository.find('/');
  code_.push_back(Json::object(
      {{"path", path},
       {"repository", Json::object({{"name", repository.substr(slash + 1)},
                                    {"owner", Json::object({{"login", repository.substr(0, slash)}})}})}}));
}

std::string FakeGithub::searched() {
  std::lock_guard lock(mutex_);
  return searched_;
}

void FakeGithub::add_delivery(std::int64_t id, const std::string& guid, int status, bool again) {
  std::lock_guard lock(mutex_);
  deliveries_.insert(deliveries_.begin(), Json::object({{"id", id},
                                                        {"guid", guid},
                                                        {"delivered_at", utc(now())},
                                                        {"redelivery", again},
                                                        {"duration", 0.27},
                                                        {"status", status == 200 ? "OK" : "Server Error"},
                                                        {"status_code", status},
                                                        {"event", "issues"},
                                                        {"action", "opened"}}));
}

std::vector<std::string> FakeGithub::delivered() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> guids;
  for (auto delivery = deliveries_.rbegin(); delivery != deliveries_.rend(); ++delivery)
    guids.emplace_back((*delivery)["guid"].string_or(""));
  return guids;
}

std::vector<milliseconds> FakeGithub::changes_at() {
  std::lock_guard lock(mutex_);
  return changes_at_;
}

std::string FakeGithub::limit_head(int remaining) const {
  return "X-RateLimit-Limit: " + std::to_string(allowed_) +
         "\r\nX-RateLimit-Remaining: " + std::to_string(remaining) +
         "\r\nX-RateLimit-Reset: " + std::to_string(reset_.time_since_epoch().count()) +
         "\r\nX-RateLimit-Resource: core\r\n";
}

std::optional<FakeGithub::Answer> FakeGithub::limit(const Asked& asked) {
  if (asked.method != "GET" && !asked.target.ends_with("/access_tokens")) {
    const auto at = std::chrono::floor<milliseconds>(time_.now()).time_since_epoch();
    const bool hasty = !changes_at_.empty() && at - changes_at_.back() < seconds(1);
    changes_at_.push_back(at);
    if (hasty && watches_spacing_) return error(403, "You have exceeded a secondary rate limit.");
  }
  if (!remaining_) return std::nullopt;
  if (now() >= reset_) {
    remaining_ = allowed_;
    reset_ = now() + window_;
  }
  if (*remaining_ > 0) {
    --*remaining_;
    return std::nullopt;
  }
  Answer answer = error(403, "API rate limit exceeded for user ID 4242.");
  answer.head = limit_head(0);
  return answer;
}

std::optional<FakeGithub::Answer> FakeGithub::refusal(const Asked& asked) {
  const std::string given = asked.header("Authorization"), prefix = "Bearer ";
  const std::string token = given.starts_with(prefix) ? given.substr(prefix.size()) : "";
  if (!app_) return token == kToken ? std::nullopt : std::optional(error(401, "Bad credentials"));
  const std::string path = path_of(asked.target);
  if (path == "/app" || path.starts_with("/app/") || path.ends_with("/installation")) {
    const std::string why = app_->refusal(token, now());
    return why.empty() ? std::nullopt : std::optional(error(401, why));
  }
  const auto known = tokens_.find(token);
  const bool good = known != tokens_.end() && now() < known->second;
  return good ? std::nullopt : std::optional(error(401, "Bad credentials"));
}

FakeGithub::Answer FakeGithub::of_app(const Asked& asked, const std::string& path) {
  if (!app_) return error(401, "A JSON web token could not be decoded");
  if (path.empty()) return {200, Json::object({{"id", 123456}, {"slug", FakeApp::kSlug}}), ""};
  const std::string hook = "/hook/deliveries";
  if (path.starts_with(hook)) return of_hook(asked, path.substr(hook.size()));
  if (number_in(path, "/installations/", "/access_tokens") != FakeApp::kInstallation)
    return error(404, "Not Found");
  asked_token_ = asked.body;
  const std::string token = "ghs_installation" + std::to_string(++tokens_made_);
  tokens_[token] = now() + life_;
  return {201, Json::object({{"token", token}, {"expires_at", utc(now() + life_)}}), ""};
}

FakeGithub::Answer FakeGithub::of_person(const std::string& login) {
  if (app_ && login == std::string(FakeApp::kSlug) + "[bot]") return {200, person(kDavit), ""};
  return error(404, "Not Found");
}

// As GitHub does: who may nothing in a private repository has "none"; a login that nobody has is not found.
FakeGithub::Answer FakeGithub::permission_of(const std::string& login) {
  std::int64_t id = 0;
  for (const auto& [known, name] : logins_) {
    if (same_login(name, login)) id = known;
  }
  if (id == 0) {
    std::string usual = login;
    std::transform(usual.begin(), usual.end(), usual.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    id = number_in(usual, "user-");
    if (logins_.contains(id)) id = 0;
  }
  if (id == 0 || gone_.contains(id)) return error(404, login + " is not a user");
  const auto given = permissions_.find(id);
  const auto [permission, role] =
      given == permissions_.end() ? std::pair<std::string, std::string>("none", "") : given->second;
  return {200, Json::object({{"permission", permission}, {"role_name", role}, {"user", person(id)}}), ""};
}

FakeGithub::Answer FakeGithub::page_of(const Asked& asked, const char* member, const std::vector<Json>& all) {
  Answer answer = page(asked, all);
  answer.json = Json::object({{"total_count", all.size()}, {member, std::move(answer.json)}});
  return answer;
}

FakeGithub::Answer FakeGithub::of_commit(const Asked& asked, const std::string& rest) {
  check_commit(rest.substr(0, rest.find('/')));
  if (rest.ends_with("/check-runs")) return page_of(asked, "check_runs", check_runs_);
  if (rest.ends_with("/status")) return page_of(asked, "statuses", statuses_);
  return error(404, "Not Found");
}

FakeGithub::Answer FakeGithub::of_actions(const Asked& asked, const std::string& rest) {
  if (rest == "/runs") {
    check_commit(query(asked.target, "head_sha", ""));
    return page_of(asked, "workflow_runs", runs_);
  }
  if (const auto job = number_in(rest, "/jobs/", "/logs")) {
    if (!logs_.contains(job)) return error(404, "Not Found");
    if (logs_.at(job).empty()) return error(410, "Server Error: the logs for this run have expired");
    return {302, Json(),
            "Location: " + logs_server_.url("/logs/" + std::to_string(job) + "?sig=secret") + "\r\n"};
  }
  for (Json& run : runs_) {
    const std::int64_t id = run["id"].int_or(0);
    if (number_in(rest, "/runs/") == id) return {200, run, ""};
    if (number_in(rest, "/runs/", "/rerun-failed-jobs") != id) continue;
    if (run["conclusion"] != "failure") return error(403, "This workflow run cannot be rerun");
    run.set("run_attempt", run["run_attempt"].int_or(1) + 1);
    run.set("status", "queued").set("conclusion", Json());
    if (!reruns_end_.empty()) {
      run.set("status", "completed").set("conclusion", reruns_end_);
      for (Json& job : check_runs_) {
        const bool of_run = job.at_pointer("/check_suite/id").int_or(-1) == run["check_suite_id"].int_or(0);
        if (of_run && job["conclusion"] == "failure")
          job.set("id", job["id"].int_or(0) + 1).set("conclusion", reruns_end_);
      }
    }
    return {201, Json::object(), ""};
  }
  return error(404, "Not Found");
}

// By cursor, not by number.
FakeGithub::Answer FakeGithub::of_hook(const Asked& asked, const std::string& rest) {
  if (rest.empty()) {
    const std::size_t size = std::stoul(query(asked.target, "per_page", "30"));
    const std::size_t from = std::stoul(query(asked.target, "cursor", "0"));
    Json list = Json::array();
    for (std::size_t i = from; i < std::min(from + size, deliveries_.size()); ++i)
      list.push_back(deliveries_[i]);
    Answer answer{200, std::move(list), ""};
    if (from + size < deliveries_.size()) {
      answer.head = "Link: <" + api() + path_of(asked.target) + "?per_page=" + std::to_string(size) +
                    "&cursor=" + std::to_string(from + size) + ">; rel=\"next\"\r\n";
    }
    return answer;
  }
  const std::int64_t id = number_in(rest, "/", "/attempts");
  for (const Json& delivery : deliveries_) {
    if (delivery["id"].int_or(0) != id) continue;
    Json again = delivery;
    again.set("id", next_id_++).set("redelivery", true).set("status", "OK").set("status_code", 200);
    deliveries_.insert(deliveries_.begin(), std::move(again));
    return {202, Json::object(), ""};
  }
  return error(404, "Not Found");
}

FakeGithub::Answer FakeGithub::search_code(const Asked& asked) {
  searched_ = query(asked.target, "q", "");
  Answer answer = page_of(asked, "items", code_);
  answer.json.set("incomplete_results", false);
  return answer;
}

FakeGithub::Answer FakeGithub::graphql(const Asked& asked) {
  const Json body = Json::parse(asked.body);
  for (auto& [number, pull] : pulls_) {
    if (pull["node_id"] != body.at_pointer("/variables/id").string_or("")) continue;
    if (body["query"].string_or("").find("markPullRequestReadyForReview") == std::string_view::npos) break;
    pull.set("draft", false);
    return {200, Json::object({{"data", Json::object({{"markPullRequestReadyForReview", Json()}})}}), ""};
  }
  return {
      200,
      Json::object({{"data", Json()},
                    {"errors", Json::array({Json::object(
                                   {{"type", "NOT_FOUND"}, {"message", "Could not resolve to a node"}})})}}),
      ""};
}

FakeGithub::Answer FakeGithub::change_pull(const Asked& asked, int number) {
  const auto pull = pulls_.find(number);
  if (pull == pulls_.end()) return error(404, "Not Found");
  const Json body = Json::parse(asked.body);
  for (const auto [name, value] : body.members()) {
    if (name == "title" || name == "body") pull->second.set(name, Json(value));
  }
  return {200, pull->second, ""};
}

FakeGithub::Answer FakeGithub::add_labels(const Asked& asked, int number) {
  const auto issue = issues_.find(number);
  if (issue == issues_.end()) return error(404, "Not Found");
  const Json body = Json::parse(asked.body);
  Json labels(issue->second.json["labels"]);
  for (const JsonView label : body["labels"]) labels.push_back(Json::object({{"name", label.string_or("")}}));
  issue->second.json.set("labels", labels);
  return {200, std::move(labels), ""};
}

}  // namespace davit::testing
