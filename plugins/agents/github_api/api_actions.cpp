// The parts of the API that are about what GitHub runs and sends: checks, their logs, hooks; and its search.
#include <algorithm>
#include <utility>

#include "davit/failure.hpp"
#include "github_api/api.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;

constexpr std::chrono::milliseconds kSettle{500};

void need_sha(const std::string& sha) {
  const bool whole = (sha.size() == 40 || sha.size() == 64) &&
                     sha.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!whole) throw Failure::invalid_input("a commit is named by its whole sha, in small letters");
}

void need_id(std::int64_t id, const char* what) {
  if (id <= 0) throw Failure::invalid_input(std::string(what) + " has an id");
}

// Each word in quotation marks, so that none of them is an operator or a qualifier: "repo:" in somebody's
// text would be another repository to look in. GitHub takes 256 characters and few words.
std::string quoted_words(const std::string& words) {
  constexpr std::size_t kMostBytes = 200, kMostWords = 5;
  std::string quoted;
  std::size_t count = 0;
  for (std::size_t at = 0; count < kMostWords;) {
    const auto is_word = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\'; };
    const auto begin = std::find_if(words.begin() + static_cast<std::ptrdiff_t>(at), words.end(), is_word);
    const auto end = std::find_if_not(begin, words.end(), is_word);
    if (begin == end) break;
    at = static_cast<std::size_t>(end - words.begin());
    const std::string word(begin, end);
    if (quoted.size() + word.size() > kMostBytes) continue;
    quoted += "\"" + word + "\" ";
    ++count;
  }
  return quoted;
}

}  // namespace

Checks Api::checks(const Repo& repo, const std::string& sha) {
  need_sha(sha);
  const std::string commit = path_of(repo) + "/commits/" + sha;
  std::vector<CheckRun> check_runs;
  connection_.each(
      commit + "/check-runs?filter=latest",
      [&](JsonView json) { return check_runs.push_back(check_run_of(json)), true; }, "check_runs");
  std::vector<Check> statuses;
  connection_.each(
      commit + "/status", [&](JsonView json) { return statuses.push_back(status_of(json)), true; },
      "statuses");
  std::vector<WorkflowRun> runs;
  connection_.each(
      path_of(repo) + "/actions/runs?head_sha=" + sha,
      [&](JsonView json) { return runs.push_back(workflow_run_of(json)), true; }, "workflow_runs");
  return latest_of(sha, std::move(check_runs), std::move(statuses), std::move(runs));
}

LogTail Api::log_tail(const Repo& repo, std::int64_t job, std::size_t bytes) {
  need_id(job, "a job");
  if (bytes == 0) throw Failure::invalid_input("a log's end of no bytes is nothing to ask for");
  auto text = connection_.tail(path_of(repo) + "/actions/jobs/" + std::to_string(job) + "/logs", bytes);
  if (!text) return {.text = "", .cut = false, .why_not = "GitHub has no log of this job any more"};
  return {.text = std::move(text->text), .cut = text->cut, .why_not = ""};
}

void Api::rerun_failed(const Repo& repo, std::int64_t run, int attempt) {
  need_id(run, "a workflow run");
  const std::string path = path_of(repo) + "/actions/runs/" + std::to_string(run);
  const auto is_done = [&] {
    const Json json = connection_.get(path);
    return workflow_run_of(json).check.attempt > attempt;
  };
  if (is_done()) return;
  for (int left = 1;; --left) {
    try {
      connection_.post(path + "/rerun-failed-jobs", Json::object());
      return;
    } catch (const Failure& failure) {
      if (failure.status() == Status::Cancelled || failure.status() == Status::RateLimited) throw;
      connection_.pause(kSettle);
      if (is_done()) return;
      if (failure.status() != Status::Retryable || left == 0) throw;
    }
  }
}

CodeHits Api::search_code(const std::string& words, const std::vector<Repo>& where, int most) {
  if (where.empty()) throw Failure::invalid_input("code is looked for in repositories that are named");
  std::string query = quoted_words(words);
  if (query.empty()) throw Failure::invalid_input("there is no word to look for in code");
  for (const Repo& repo : where) query += "repo:" + segment(repo.owner) + "/" + segment(repo.name) + " ";
  query.pop_back();

  const Json json = connection_.get("/search/code?q=" + escape(query) +
                                    "&per_page=" + std::to_string(std::clamp(most, 1, 100)));
  if (!json["items"].is_array())
    throw Failure::permanent("GitHub's answer to GET /search/code has no list of what was found");
  CodeHits found;
  for (const JsonView item : json["items"]) {
    CodeHit hit = code_hit_of(item);
    const bool wanted =
        std::any_of(where.begin(), where.end(), [&](const Repo& repo) { return same(repo, hit.repo); });
    if (wanted) found.hits.push_back(std::move(hit));
  }
  found.all = !json["incomplete_results"].bool_or(true) &&
              json["total_count"].int_or(0) <= static_cast<std::int64_t>(json["items"].size());
  return found;
}

DeliveryPage Api::deliveries(const Hook& hook, const std::string& next) {
  const std::string path = deliveries_path(hook);
  if (!next.empty() && next.compare(0, path.size() + 1, path + "?") != 0)
    throw Failure::invalid_input("that page is not one of the hook's deliveries");
  const Connection::Page page =
      connection_.page(next.empty() ? path + "?per_page=100" : next, hook.of_app() ? As::App : As::Token);
  if (!page.json.is_array()) throw Failure::permanent("GitHub's answer about deliveries is no list");
  DeliveryPage read{.deliveries = {}, .next = page.next};
  for (const JsonView json : page.json.view()) read.deliveries.push_back(hook_delivery_of(json));
  return read;
}

void Api::redeliver(const Hook& hook, std::int64_t id) {
  need_id(id, "a delivery");
  connection_.post(deliveries_path(hook) + "/" + std::to_string(id) + "/attempts", Json::object(),
                   hook.of_app() ? As::App : As::Token);
}

}  // namespace github
