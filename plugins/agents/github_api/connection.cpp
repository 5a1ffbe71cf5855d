#include "github_api/connection.h"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "davit/failure.hpp"
#include "github_api/errors.h"
#include "github_api/limits.h"
#include "github_api/pages.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMostPages = 50;
constexpr int kTries = 3;
constexpr milliseconds kFirstPause{200};

// Half of it to all of it, so that many who were refused at once do not come back at once.
milliseconds scattered(milliseconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution<milliseconds::rep>(time.count() / 2, time.count())(random));
}

std::string seconds_of(milliseconds time) { return std::to_string((time.count() + 999) / 1000) + " s"; }

}  // namespace

Connection::Connection(Account account, http::Cancel cancel)
    : account_(std::move(account)), cancel_(std::move(cancel)) {
  if (account_.token.empty()) throw Failure::permanent("there is no token for GitHub: grant github_token");
  while (account_.api.ends_with('/')) account_.api.pop_back();
}

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

Json Connection::get(const std::string& path) { return read(account_.api + path).json; }

void Connection::each(const std::string& path, const std::function<bool(davit::JsonView)>& look) {
  std::string url = account_.api + path;
  url += path.find('?') == std::string::npos ? "?per_page=100" : "&per_page=100";
  for (int pages = 0; !url.empty(); ++pages) {
    if (pages == kMostPages) {
      throw Failure::permanent(where("GET", url) + " has more than " + std::to_string(kMostPages) +
                               " pages, which are not read");
    }
    const Page page = read(url);
    for (const davit::JsonView element : page.json.view()) {
      if (!look(element)) return;
    }
    url = page.next;
  }
}

Json Connection::patch(const std::string& path, const Json& body) {
  const std::string url = account_.api + path, text = body.dump();
  return up_to_three_times([&] { return parse(where("PATCH", url), call("PATCH", url, text, "").body); });
}

Json Connection::post(const std::string& path, const Json& body) {
  const std::string url = account_.api + path;
  return parse(where("POST", url), call("POST", url, body.dump(), "").body);
}

void Connection::pause(milliseconds time) const {
  constexpr milliseconds kLookUp{20};
  for (const auto end = steady_clock::now() + time; steady_clock::now() < end;) {
    if (cancel_ && cancel_()) throw Failure::cancelled("waiting for GitHub was cancelled");
    std::this_thread::sleep_for(kLookUp);
  }
}

Connection::Page Connection::read(const std::string& url) {
  return up_to_three_times([&]() -> Page {
    const Etags::Kept* kept = etags_.find(url);
    const http::Response answer = call("GET", url, "", kept ? kept->etag : "");
    const bool holds = answer.status == 304 && kept;
    const std::string& body = holds ? kept->body : answer.body;
    const std::string link = holds ? kept->link : std::string(answer.header("Link"));
    Page page{parse(where("GET", url), body), next_page(link)};
    if (!page.next.empty() && !lies_below(account_.api, page.next))
      throw Failure::permanent(where("GET", url) + " names a next page that is not below " + account_.api);
    if (const std::string_view etag = answer.header("ETag"); !holds && !etag.empty())
      etags_.keep({url, std::string(etag), answer.body, link});
    return page;
  });
}

http::Response Connection::call(const std::string& method, const std::string& url, const std::string& body,
                                const std::string& etag) {
  http::Request request{.method = method,
                        .url = url,
                        .headers = {{"Authorization", "Bearer " + account_.token},
                                    {"Accept", "application/vnd.github+json"},
                                    {"X-GitHub-Api-Version", "2022-11-28"}},
                        .body = body};
  if (!etag.empty()) request.headers.push_back({"If-None-Match", etag});
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  http::Response answer = client_.send(request, cancel_);
  const bool good = (answer.status >= 200 && answer.status < 300) || (answer.status == 304 && !etag.empty());
  if (!good) refuse(where(method, url), answer);
  if (answer.cut) throw Failure::permanent(where(method, url) + " is answered with more than 8 MiB");
  return answer;
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
  const std::string said = sentence_of(answer.body);
  const std::string message = without_token("GitHub answered " + std::to_string(answer.status) + " to " +
                                            where + (said.empty() ? "" : ": " + said));
  if (const auto wait = wait_after(answer, std::chrono::system_clock::now()))
    throw Failure::rate_limited(message + " (again in " + seconds_of(*wait) + ")", *wait);
  switch (answer.status) {
    case 401:
      throw Failure::unauthorized(message + " (the token is wrong or has run out)");
    case 404:
    case 410:
      throw Failure::not_found(message);
    case 408:
      throw Failure::retryable(message);
    default:
      throw answer.status >= 500 ? Failure::retryable(message) : Failure::permanent(message);
  }
}

std::string Connection::where(const std::string& method, const std::string& url) const {
  constexpr std::size_t kMostPath = 200;
  const std::string path = url.substr(account_.api.size());
  return method + " " + one_line(path.substr(0, path.find('?')), kMostPath);
}

std::string Connection::without_token(std::string text) const {
  for (std::size_t at; (at = text.find(account_.token)) != std::string::npos;)
    text.replace(at, account_.token.size(), "***");
  return text;
}

}  // namespace github
