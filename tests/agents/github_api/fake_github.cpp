#include "tests/agents/github_api/fake_github.h"

#include <algorithm>
#include <ctime>
#include <functional>
#include <set>
#include <sstream>

#include "davit/failure.hpp"
#include "tests/agents/github_api/fake_targets.h"

namespace davit::testing {
namespace {

constexpr const char* kRepository = "/repos/acme/shop";
constexpr const char* kDocs = "https://docs.github.com/rest";

// The lines of a file after the change that a diff of it shows.
std::set<std::int64_t> lines_of(std::string_view patch) {
  std::set<std::int64_t> lines;
  std::int64_t next = 0;
  std::istringstream text{std::string(patch)};
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("@@"))
      next = std::stoll(line.substr(line.find('+') + 1));
    else if (line.starts_with("+") || line.starts_with(" "))
      lines.insert(next++);
  }
  return lines;
}

std::string date_head(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  return text;
}

Json repository_json() {
  return Json::object({{"id", 77},
                       {"name", "shop"},
                       {"full_name", "acme/shop"},
                       {"owner", Json::object({{"login", "acme"}, {"id", 5}, {"type", "Organization"}})},
                       {"private", true},
                       {"fork", false},
                       {"archived", false},
                       {"default_branch", "main"}});
}

}  // namespace

FakeGithub::FakeGithub()
    : logs_server_([this](const Asked& asked, Wire& wire) {
        std::lock_guard lock(mutex_);
        const auto log = logs_.find(number_in(path_of(asked.target), "/logs/"));
        log == logs_.end() ? wire.answer(404, "<Error>BlobNotFound</Error>") : wire.answer(200, log->second);
      }),
      server_([this](const Asked& asked, Wire& wire) { serve(asked, wire); }) {
  add_branch("main");
}

void FakeGithub::fail(const std::string& method, const std::string& target, Fault fault, int times) {
  std::lock_guard lock(mutex_);
  for (int i = 0; i < times; ++i) faults_.push_back({{method, target}, fault});
}

int FakeGithub::add_issue(const std::string& title, const std::string& body) {
  std::lock_guard lock(mutex_);
  const int number = next_number_++;
  issues_[number].json =
      Json::object({{"id", next_id_++},
                    {"number", number},
                    {"title", title},
                    {"body", body},
                    {"state", "open"},
                    {"user", person(9)},
                    {"labels", Json::array({Json::object({{"name", "bug"}, {"color", "d73a4a"}})})},
                    {"html_url", "https://github.example/acme/shop/issues/" + std::to_string(number)}});
  return number;
}

void FakeGithub::add_comment(int number, std::int64_t user, const std::string& body) {
  std::lock_guard lock(mutex_);
  issues_.at(number).comments.push_back(
      Json::object({{"id", next_id_++}, {"body", body}, {"user", user == 0 ? Json() : person(user)}}));
}

void FakeGithub::add_branch(const std::string& branch, const std::string& sha) {
  std::lock_guard lock(mutex_);
  std::string own = std::to_string(branches_.size() + 1);
  own.insert(0, 40 - own.size(), '0');
  branches_[branch] = sha.empty() ? own : sha;
}

int FakeGithub::add_pull(const std::string& branch, const std::string& state, bool from_fork) {
  std::lock_guard lock(mutex_);
  const int number = open_pull(branch, "main", "A pull request", "", false, from_fork);
  pulls_.at(number).set("state", state == "open" ? "open" : "closed");
  if (state == "merged") pulls_.at(number).set("merged_at", "2026-11-26T09:00:00Z");
  return number;
}

void FakeGithub::allow_no_drafts() {
  std::lock_guard lock(mutex_);
  drafts_ = false;
}

std::vector<std::string> FakeGithub::comments(int number) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> bodies;
  for (const Json& comment : issues_.at(number).comments) bodies.emplace_back(comment["body"].string_or(""));
  return bodies;
}

std::size_t FakeGithub::pulls() {
  std::lock_guard lock(mutex_);
  return pulls_.size();
}

Json FakeGithub::pull(int number) {
  std::lock_guard lock(mutex_);
  return pulls_.at(number);
}

void FakeGithub::set_pull(int number, const std::string& member, Json value) {
  std::lock_guard lock(mutex_);
  pulls_.at(number).set(member, std::move(value));
}

void FakeGithub::add_file(int number, const std::string& path, const std::string& patch,
                          const std::string& status, const std::string& before) {
  std::lock_guard lock(mutex_);
  Json file = Json::object({{"filename", path}, {"status", status}});
  if (!before.empty()) file.set("previous_filename", before);
  if (!patch.empty()) file.set("patch", patch);  // none for what is binary or too large
  issues_.at(number).files.push_back(std::move(file));
}

void FakeGithub::move_head(int number, const std::string& sha) {
  std::lock_guard lock(mutex_);
  Json head = pulls_.at(number)["head"];
  head.set("sha", sha);
  pulls_.at(number).set("head", std::move(head));
}

std::vector<Json> FakeGithub::reviews(int number) {
  std::lock_guard lock(mutex_);
  return issues_.at(number).reviews;
}

int FakeGithub::counted() {
  std::lock_guard lock(mutex_);
  return counted_;
}

std::vector<std::string> FakeGithub::journal() const {
  std::vector<std::string> lines;
  for (const Asked& asked : seen()) lines.push_back(asked.method + " " + path_of(asked.target));
  return lines;
}

void FakeGithub::serve(const Asked& asked, Wire& wire) {
  if (on_request) on_request();
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(faults_.begin(), faults_.end(), [&](const auto& fault) {
    return fault.first.first == asked.method && asked.target.starts_with(fault.first.second);
  });
  std::optional<Fault> fault;
  if (found != faults_.end()) {
    fault = found->second;
    faults_.erase(found);
  }
  ++counted_;
  std::optional<Answer> refused = limit(asked);
  if (fault && fault->kind == Fault::Kind::Answer)
    return wire.answer(fault->status, fault->body, fault->head);
  if (fault && fault->kind == Fault::Kind::Reset) return wire.reset();

  if (!refused) refused = refusal(asked);
  const Answer usual = refused ? *std::move(refused) : answer(asked);
  const std::string body = usual.json.dump();
  const std::string etag = "W/\"" + std::to_string(std::hash<std::string>{}(body)) + "\"";
  std::string head = usual.head + "Content-Type: application/json; charset=utf-8\r\n" + date_head(now());
  if (asked.method == "GET" && usual.status == 200) {
    if (asked.header("If-None-Match") == etag) {
      --counted_;
      if (remaining_) ++*remaining_;
      return wire.answer(304, "", "ETag: " + etag + "\r\n" + date_head(now()));
    }
    head += "ETag: " + etag + "\r\n";
  }
  if (remaining_ && usual.status < 400) head += limit_head(*remaining_);
  lock.unlock();
  if (!fault) return wire.answer(usual.status, body, head);
  switch (fault->kind) {
    case Fault::Kind::CutShort:
      wire.send("HTTP/1.1 200 OK\r\n" + head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body.substr(0, body.size() / 2));
      return wire.close();
    case Fault::Kind::NotJson:
      return wire.answer(200, body.substr(0, body.size() / 2), head);
    case Fault::Kind::DoneButReset:
      return wire.reset();
    case Fault::Kind::DoneButSilent:
      return wire.until_gone();
    default:
      return wire.answer(500, "<html>Unicorn!</html>", "Content-Type: text/html\r\n");
  }
}

FakeGithub::Answer FakeGithub::error(int status, const std::string& message, Json errors) {
  Json json =
      Json::object({{"message", message}, {"documentation_url", kDocs}, {"status", std::to_string(status)}});
  if (!errors.is_null()) json.set("errors", std::move(errors));
  return {status, std::move(json), ""};
}

Json FakeGithub::person(std::int64_t id) {
  const auto renamed = logins_.find(id);
  const std::string login = renamed != logins_.end() ? renamed->second
                            : id == kDavit           ? "davit"
                                                     : "user-" + std::to_string(id);
  const bool bot = id == kDavit || bots_.contains(id);
  return Json::object({{"id", id}, {"login", login}, {"type", bot ? "Bot" : "User"}});
}

FakeGithub::Answer FakeGithub::answer(const Asked& asked) {
  if (asked.header("User-Agent").empty() || asked.header("X-GitHub-Api-Version") != "2022-11-28")
    return error(400, "These headers are required");
  if (!repository_.empty()) read_repository();
  const std::string path = path_of(asked.target);
  if (path == "/graphql") return graphql(asked);
  if (path == "/search/code") return search_code(asked);
  if (path == "/app" || path.starts_with("/app/")) return of_app(asked, path.substr(4));
  if (path == "/user") {
    return app_ ? error(403, "Resource not accessible by integration") : Answer{200, person(kDavit), ""};
  }
  if (path.starts_with("/users/")) return of_person(unescaped(path.substr(7)));
  if (const auto id = number_in(path, "/user/"))
    return gone_.contains(id) ? error(404, "Not Found") : Answer{200, person(id), ""};
  if (path == "/orgs/acme/hooks/5/deliveries" || path.starts_with("/orgs/acme/hooks/5/deliveries/"))
    return of_hook(asked, path.substr(std::string("/orgs/acme/hooks/5/deliveries").size()));
  if (path == kRepository) return {200, repository_json(), ""};
  if (path.starts_with(std::string(kRepository) + "/"))
    return of_repository(asked, path.substr(std::string(kRepository).size()));
  return error(404, "Not Found");
}

FakeGithub::Answer FakeGithub::of_repository(const Asked& asked, const std::string& rest) {
  const std::string hook = "/hooks/5/deliveries", people = "/collaborators/", right = "/permission";
  if (rest == "/installation" && app_)
    return {200, Json::object({{"id", FakeApp::kInstallation}, {"app_slug", FakeApp::kSlug}}), ""};
  if (rest.starts_with(hook)) return of_hook(asked, rest.substr(hook.size()));
  if (rest.starts_with(people) && rest.ends_with(right)) {
    return permission_of(unescaped(rest.substr(people.size(), rest.size() - people.size() - right.size())));
  }
  if (rest.starts_with("/commits/")) return of_commit(asked, rest.substr(9));
  if (rest.starts_with("/actions/")) return of_actions(asked, rest.substr(8));
  if (const auto number = number_in(rest, "/issues/", "/labels"))
    return add_labels(asked, static_cast<int>(number));
  if (const auto number = number_in(rest, "/pulls/"); number && asked.method == "PATCH")
    return change_pull(asked, static_cast<int>(number));
  if (rest == "/pulls") return asked.method == "POST" ? make_pull(asked) : list_pulls(asked);
  if (const auto id = number_in(rest, "/issues/comments/")) return change_comment(asked, id);
  if (const auto number = number_in(rest, "/issues/", "/comments"))
    return comments_of(asked, static_cast<int>(number));
  if (const auto number = number_in(rest, "/issues/")) {
    const auto issue = issues_.find(static_cast<int>(number));
    if (issue != issues_.end()) return {200, issue->second.json, ""};
  }
  if (const auto number = number_in(rest, "/pulls/", "/reviews"))
    return reviews_of(asked, static_cast<int>(number));
  if (const auto number = number_in(rest, "/pulls/", "/files"))
    return page(asked, files_of(static_cast<int>(number)));
  if (const auto number = number_in(rest, "/pulls/")) {
    const auto pull = pulls_.find(static_cast<int>(number));
    if (pull != pulls_.end()) return {200, pull->second, ""};
  }
  return error(404, "Not Found");
}

FakeGithub::Answer FakeGithub::comments_of(const Asked& asked, int number) {
  const auto issue = issues_.find(number);
  if (issue == issues_.end()) return error(404, "Not Found");
  std::vector<Json>& all = issue->second.comments;
  if (asked.method != "POST") return page(asked, all);
  const Json body = Json::parse(asked.body);
  if (body["body"].string_or("").size() > 65'536) {
    return error(
        422, "Validation Failed",
        Json::array({Json::object({{"resource", "IssueComment"},
                                   {"code", "unprocessable"},
                                   {"field", "data"},
                                   {"message", "Body is too long (maximum is 65536 characters)"}})}));
  }
  all.push_back(
      Json::object({{"id", next_id_++}, {"body", body["body"].string_or("")}, {"user", person(kDavit)}}));
  return {201, all.back(), ""};
}

FakeGithub::Answer FakeGithub::change_comment(const Asked& asked, std::int64_t id) {
  for (auto& [number, issue] : issues_) {
    for (Json& comment : issue.comments) {
      if (comment["id"].int_or(0) != id) continue;
      const Json body = Json::parse(asked.body);
      comment.set("body", body["body"].string_or(""));
      return {200, comment, ""};
    }
  }
  return error(404, "Not Found");
}

// As GitHub does: `head` without an owner is no filter at all, and one with an owner also lets through what
// lies at the same commit.
FakeGithub::Answer FakeGithub::list_pulls(const Asked& asked) {
  const std::string state = query(asked.target, "state", "open"), head = query(asked.target, "head", "");
  const std::size_t colon = head.find(':');
  std::string sha;
  if (colon != std::string::npos) {
    const auto branch = branches_.find(head.substr(colon + 1));
    sha = branch == branches_.end() ? "none" : branch->second;
  }
  std::vector<Json> listed;
  for (auto pull = pulls_.rbegin(); pull != pulls_.rend(); ++pull) {
    const Json& json = pull->second;
    if (state != "all" && json["state"].string_or("") != state) continue;
    if (!sha.empty() && json.at_pointer("/head/sha").string_or("") != sha) continue;
    listed.push_back(json);
  }
  return page(asked, listed);
}

FakeGithub::Answer FakeGithub::make_pull(const Asked& asked) {
  const Json body = Json::parse(asked.body);
  const std::string head(body["head"].string_or("")), base(body["base"].string_or(""));
  const auto refused = [](Json error_json) {
    return error(422, "Validation Failed", Json::array({std::move(error_json)}));
  };
  if (!branches_.contains(head) || !branches_.contains(base)) {
    return refused(Json::object({{"resource", "PullRequest"},
                                 {"field", branches_.contains(head) ? "base" : "head"},
                                 {"code", "invalid"}}));
  }
  if (branches_.at(head) == branches_.at(base)) {
    return refused(Json::object({{"resource", "PullRequest"},
                                 {"code", "custom"},
                                 {"message", "No commits between " + base + " and " + head}}));
  }
  if (body["draft"].bool_or(false) && !drafts_)
    return error(422, "Draft pull requests are not supported in this repository.");
  for (const auto& [number, pull] : pulls_) {
    if (pull["state"] == "open" && pull.at_pointer("/head/label") == "acme:" + head) {
      return refused(Json::object({{"resource", "PullRequest"},
                                   {"code", "custom"},
                                   {"message", "A pull request already exists for acme:" + head + "."}}));
    }
  }
  const int number = open_pull(head, base, std::string(body["title"].string_or("")),
                               std::string(body["body"].string_or("")), body["draft"].bool_or(false), false);
  return {201, pulls_.at(number), ""};
}

// Strict where GitHub is: the whole review is refused for one comment whose lines the diff does not show.
FakeGithub::Answer FakeGithub::reviews_of(const Asked& asked, int number) {
  std::vector<Json>& all = issues_[number].reviews;
  if (asked.method != "POST") return page(asked, all);
  const Json body = Json::parse(asked.body);
  const auto refused = [](const std::string& message) {
    return error(422, "Unprocessable Entity", Json::array({message}));
  };
  if (body["event"] != "COMMENT" && pulls_.at(number).at_pointer("/user/id").int_or(0) == kDavit)
    return refused("Can not request changes on your own pull request");
  if (body["body"].string_or("").empty()) return refused("Body can't be blank");
  for (const JsonView comment : body["comments"]) {
    const std::int64_t line = comment["line"].int_or(0);
    const std::int64_t start = comment["start_line"].int_or(line);
    if (comment.has("start_line") && start >= line) return refused("start_line must precede the end line.");
    std::set<std::int64_t> shown;
    for (const Json& file : files_of(number)) {
      if (file["filename"] == comment["path"].string_or("")) shown = lines_of(file["patch"].string_or(""));
    }
    if (comment["side"] != "RIGHT" || !shown.contains(line) || !shown.contains(start))
      return refused("Line could not be resolved");
  }
  Json review = body;
  const std::string place = "https://github.example/acme/shop/pull/" + std::to_string(number);
  review.set("html_url", place + "#pullrequestreview-" + std::to_string(next_id_));
  review.set("id", next_id_++).set("user", person(kDavit));
  all.push_back(std::move(review));
  return {200, all.back(), ""};
}

int FakeGithub::open_pull(const std::string& branch, const std::string& base, const std::string& title,
                          const std::string& body, bool draft, bool from_fork) {
  const int number = next_number_++;
  const std::string owner = from_fork ? "stranger" : "acme";
  Json head_repository = repository_json();
  head_repository.set("owner", Json::object({{"login", owner}, {"id", 6}, {"type", "User"}}));
  pulls_[number] =
      Json::object({{"id", next_id_++},
                    {"node_id", "PR_" + std::to_string(number)},
                    {"number", number},
                    {"title", title},
                    {"body", body},
                    {"state", "open"},
                    {"draft", draft},
                    {"merged_at", Json()},
                    {"user", person(from_fork ? 6 : kDavit)},
                    {"html_url", "https://github.example/acme/shop/pull/" + std::to_string(number)},
                    {"head", Json::object({{"label", owner + ":" + branch},
                                           {"ref", branch},
                                           {"sha", branches_.at(branch)},
                                           {"repo", std::move(head_repository)}})},
                    {"base", Json::object({{"label", "acme:" + base},
                                           {"ref", base},
                                           {"sha", branches_.at(base)},
                                           {"repo", repository_json()}})}});
  issues_[number].json = Json::object({{"id", next_id_++},
                                       {"number", number},
                                       {"title", title},
                                       {"state", "open"},
                                       {"user", person(kDavit)},
                                       {"labels", Json::array()},
                                       {"pull_request", Json::object({{"url", "x"}})}});
  if (!repository_.empty() && !from_fork) show_pull(number, branch);
  return number;
}

FakeGithub::Answer FakeGithub::page(const Asked& asked, const std::vector<Json>& all) {
  const std::size_t size = std::min<std::size_t>(std::stoul(query(asked.target, "per_page", "30")), 100);
  const std::size_t number = std::stoul(query(asked.target, "page", "1"));
  Json list = Json::array();
  for (std::size_t i = (number - 1) * size; i < std::min(number * size, all.size()); ++i)
    list.push_back(all[i]);
  Answer answer{200, std::move(list), ""};
  if (number * size < all.size()) {
    std::string base = asked.target;
    if (const std::size_t at = base.find("&page="); at != std::string::npos) base.resize(at);
    const auto link = [&](std::size_t to, const char* relation) {
      return "<" + api() + base + "&page=" + std::to_string(to) + ">; rel=\"" + relation + "\"";
    };
    answer.head =
        "Link: " + link(number + 1, "next") + ", " + link((all.size() + size - 1) / size, "last") + "\r\n";
  }
  return answer;
}

}  // namespace davit::testing
