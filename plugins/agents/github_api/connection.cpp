#include "github_api/connection.h"

#include <algorithm>
#include <random>
#include <utility>

#include "davit/failure.hpp"
#include "github_api/dates.h"
#include "github_api/errors.h"
#include "github_api/limits.h"
#include "github_api/pages.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMostPages = 50;
constexpr int kTries = 3;
constexpr int kMostRefusals = 3;  // for limits, of one call
constexpr milliseconds kFirstPause{200};
constexpr seconds kLeastLife{300};  // of an installation's token
constexpr milliseconds kTextTime{120'000};

// Half of it to all of it, so that many who were refused at once do not come back at once.
milliseconds scattered(milliseconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution<milliseconds::rep>(time.count() / 2, time.count())(random));
}

std::string seconds_of(milliseconds time) { return std::to_string((time.count() + 999) / 1000) + " s"; }

Account checked(Account account) {
  const AppAccount& app = account.app;
  if (account.state_folder.empty())
    throw Failure::internal("no folder is given in which to keep GitHub's limits");
  if (app.id.empty() && account.token.empty())
    throw Failure::permanent("there is no token for GitHub: grant github_token");
  if (!app.id.empty() && app.key.empty())
    throw Failure::permanent("there is no key of the GitHub App: grant github_app_key");
  if (!app.id.empty() && app.installation <= 0 && app.repository.name.empty())
    throw Failure::permanent(
        "nothing says which installation of the GitHub App it is: set github.installation");
  while (account.api.ends_with('/')) account.api.pop_back();
  return account;
}

// Of an Enterprise Server it lies beside the REST API's version, not below it.
std::string graphql_of(const std::string& api) {
  constexpr std::string_view kVersion = "/v3";
  return (api.ends_with(kVersion) ? api.substr(0, api.size() - kVersion.size()) : api) + "/graphql";
}

}  // namespace

Connection::Connection(Account account, http::Cancel cancel, Waiting waiting)
    : account_(checked(std::move(account))),
      pace_(account_.state_folder / "github", limits_name(account_), std::move(waiting), cancel),
      etags_(account_.state_folder / "github" / "answers", answers_name(account_)),
      cancel_(std::move(cancel)) {}

template <class Attempt>
auto Connection::up_to_three_times(Attempt attempt) const {
  for (int tries = 1;; ++tries) {
    try {
      return attempt();
    } catch (const Failure& failure) {
      if (failure.status() != Status::Retryable || tries == kTries) throw;
    }
    pause(scattered(kFirstPause * (1 << (2 * (tries - 1)))));
  }
}

Json Connection::get(const std::string& path, As as) { return read(account_.api + path, as).json; }

void Connection::each(const std::string& path, const std::function<bool(JsonView)>& look,
                      std::string_view member) {
  std::string next = path + (path.find('?') == std::string::npos ? "?per_page=100" : "&per_page=100");
  for (int pages = 0; !next.empty(); ++pages) {
    const Ask ask{.method = "GET", .url = account_.api + next};
    if (pages == kMostPages) {
      throw Failure::permanent(where(ask) + " has more than " + std::to_string(kMostPages) +
                               " pages, which are not read");
    }
    const Page page = read(ask.url, As::Token);
    const JsonView list = member.empty() ? page.json.view() : page.json[member];
    if (!list.is_array())
      throw Failure::permanent(where(ask) + " is answered with something that is no list");
    for (const JsonView element : list) {
      if (!look(element)) return;
    }
    next = page.next;
  }
}

Connection::Page Connection::page(const std::string& path, As as) { return read(account_.api + path, as); }

std::optional<Connection::Text> Connection::tail(const std::string& path, std::size_t most) {
  try {
    return up_to_three_times([&]() -> std::optional<Text> {
      http::Response answer = call({.method = "GET", .url = account_.api + path, .tail = most});
      return Text{std::move(answer.body), answer.cut};
    });
  } catch (const Failure& failure) {
    if (failure.status() != Status::NotFound) throw;
    return std::nullopt;
  }
}

Json Connection::patch(const std::string& path, const Json& body) {
  const Ask ask{.method = "PATCH", .url = account_.api + path, .body = body.dump(), .move = Move::Write};
  return up_to_three_times([&] { return parse(where(ask), call(ask).body); });
}

Json Connection::post(const std::string& path, const Json& body, As as) {
  const Ask ask{
      .method = "POST", .url = account_.api + path, .body = body.dump(), .as = as, .move = Move::Write};
  return parse(where(ask), call(ask).body);
}

Json Connection::graphql(const std::string& query, Json variables) {
  const Ask ask{.method = "POST",
                .url = graphql_of(account_.api),
                .body = Json::object({{"query", query}, {"variables", std::move(variables)}}).dump(),
                .move = Move::Write};
  const http::Response answer = call(ask);
  const Json json = parse(where(ask), answer.body);
  const JsonView error = json["errors"][0];
  if (error.is_null()) return Json(json["data"]);
  const std::string message = without_secrets("GitHub answered " + where(ask) + ": " +
                                              one_line(error["message"].string_or("an error"), 300));
  const std::string_view type = error["type"].string_or("");
  if (type == "RATE_LIMITED") {
    const milliseconds wait = used_up(answer, pace_.now()).value_or(std::chrono::minutes(1));
    throw Failure::rate_limited(message,
                                pace_.refused(Budget::Graphql, Move::Write, {.wait = wait, .of_all = false}));
  }
  throw type == "NOT_FOUND" ? Failure::not_found(message) : Failure::permanent(message);
}

std::string Connection::token() { return bearer(As::Token); }

Connection::Page Connection::read(const std::string& url, As as) {
  return up_to_three_times([&]() -> Page {
    const std::optional<Etags::Kept> kept = etags_.find(url);
    const Ask ask{.method = "GET", .url = url, .etag = kept ? kept->etag : "", .as = as};
    const http::Response answer = call(ask);
    const bool holds = answer.status == 304;
    const std::string link = holds ? kept->link : std::string(answer.header("Link"));
    Page page{parse(where(ask), holds ? kept->body : answer.body), ""};
    if (const std::string next = next_page(link); !next.empty()) {
      if (!lies_below(account_.api, next))
        throw Failure::permanent(where(ask) + " names a next page that is not below " + account_.api);
      page.next = path_below(next);
    }
    if (const std::string_view etag = answer.header("ETag"); !holds && !etag.empty())
      etags_.keep(url, {std::string(etag), answer.body, link});
    return page;
  });
}

// A refusal for a limit, or of a token that has run out, changed nothing: what it was asked for can be asked
// again, whatever it is.
http::Response Connection::call(const Ask& ask) {
  const Budget budget = budget_of(ask.url == graphql_of(account_.api) ? "/graphql" : path_below(ask.url));
  const Pace::Time patience = pace_.patience();
  bool renewed = !is_app();
  for (int refusals = 0;;) {
    std::optional<shared::FileLock> turn;
    if (ask.move == Move::Write)
      turn.emplace(pace_.await_write(budget, patience, where(ask)));
    else
      pace_.await_read(budget, patience, where(ask));
    http::Response answer = send(ask);
    if (const auto there = http_date(answer.header("Date")))
      ahead_ = *there - std::chrono::floor<seconds>(pace_.now());
    if (answer.status == 401 && !renewed) {
      token_ = {};
      renewed = true;
      continue;
    }
    if (const auto limit = limit_in(answer, pace_.now())) {
      const milliseconds wait = pace_.refused(budget, ask.move, *limit);
      if (++refusals < kMostRefusals && pace_.now() + wait <= patience) continue;
      throw Failure::rate_limited(told(where(ask), answer) + " (again in " + seconds_of(wait) + ")", wait);
    }
    const bool good =
        (answer.status >= 200 && answer.status < 300) || (answer.status == 304 && !ask.etag.empty());
    if (!good) refuse(where(ask), answer);
    pace_.answered(budget, ask.move, used_up(answer, pace_.now()));
    if (answer.cut && ask.tail == 0)
      throw Failure::permanent(where(ask) + " is answered with more than 8 MiB");
    return answer;
  }
}

http::Response Connection::send(const Ask& ask) {
  http::Request request{.method = ask.method,
                        .url = ask.url,
                        .headers = {{"Authorization", "Bearer " + bearer(ask.as)},
                                    {"Accept", "application/vnd.github+json"},
                                    {"X-GitHub-Api-Version", "2022-11-28"}},
                        .body = ask.body};
  if (!ask.etag.empty()) request.headers.push_back({"If-None-Match", ask.etag});
  if (!ask.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  if (ask.tail > 0) {
    request.keep = http::Keep::End;
    request.most = ask.tail;
    request.elsewhere = http::Elsewhere::Bare;
    request.total = kTextTime;
  }
  return client_.send(request, cancel_);
}

Json Connection::parse(const std::string& where, const std::string& body) const {
  if (body.empty()) return {};
  try {
    return Json::parse(body);
  } catch (const Failure&) {
    throw Failure::retryable(where + " is answered with something that is not JSON");
  }
}

void Connection::refuse(const std::string& where, const http::Response& answer) const {
  const std::string message = told(where, answer);
  switch (answer.status) {
    case 401:
      throw Failure::unauthorized(message + (is_app() ? " (the GitHub App's id or key is wrong)"
                                                      : " (the token is wrong or has run out)"));
    case 403:
      throw Failure::permanent(message + missing_right(where, answer));
    case 404:
    case 410:
      throw Failure::not_found(message);
    case 408:
      throw Failure::retryable(message);
    default:
      throw answer.status >= 500 ? Failure::retryable(message) : Failure::permanent(message);
  }
}

// GitHub does not say in its sentence which right it misses. Other refusals of this status say what they are
// about.
std::string Connection::missing_right(const std::string& where, const http::Response& answer) const {
  if (!is_about_rights(sentence_of(answer.body))) return "";
  const std::size_t blank = where.find(' ');
  const std::string right = right_for(answer.header("X-Accepted-GitHub-Permissions"), where.substr(0, blank),
                                      where.substr(blank + 1));
  if (right.empty()) return "";
  return std::string(is_app() ? " (the GitHub App" : " (the token") + " needs the permission " + right + ")";
}

std::string Connection::told(const std::string& where, const http::Response& answer) const {
  const std::string said = sentence_of(answer.body);
  return without_secrets("GitHub answered " + std::to_string(answer.status) + " to " + where +
                         (said.empty() ? "" : ": " + said));
}

std::string Connection::bearer(As as) {
  if (!is_app()) {
    if (as == As::App) throw Failure::permanent("that can be asked as a GitHub App only: set github.app_id");
    return account_.token;
  }
  if (as == As::App) return proof_ = app_proof(account_.app, github_now());
  if (token_.text.empty() || github_now() + kLeastLife >= token_.ends) renew_token();
  return token_.text;
}

void Connection::renew_token() {
  token_ = {};
  if (account_.app.installation <= 0) {
    const Json json = get(path_of(account_.app.repository) + "/installation", As::App);
    account_.app.installation = json["id"].int_or(0);
    if (account_.app.installation <= 0) throw Failure::permanent("GitHub's answer has no installation id");
  }
  const Ask ask{.method = "POST",
                .url = account_.api + "/app/installations/" + std::to_string(account_.app.installation) +
                       "/access_tokens",
                .body = token_request(account_.app).dump(),
                .as = As::App};
  const Json json = up_to_three_times([&] { return parse(where(ask), call(ask).body); });
  token_ = token_of(json);
}

std::chrono::sys_seconds Connection::github_now() const {
  return std::chrono::floor<seconds>(pace_.now()) + ahead_;
}

std::string Connection::path_below(const std::string& url) const {
  return url.size() > account_.api.size() ? url.substr(account_.api.size()) : "";
}

std::string Connection::where(const Ask& ask) const {
  constexpr std::size_t kMostPath = 200;
  const bool below = lies_below(account_.api, ask.url);
  const std::string path = below ? path_below(ask.url) : "/graphql";
  return ask.method + " " + one_line(path.substr(0, path.find('?')), kMostPath);
}

std::string Connection::without_secrets(std::string text) const {
  for (const std::string& secret : {account_.token, token_.text, proof_}) {
    if (secret.empty()) continue;
    constexpr std::string_view kGone = "***";
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kGone.size())
      text.replace(at, secret.size(), kGone);
  }
  return text;
}

}  // namespace github
