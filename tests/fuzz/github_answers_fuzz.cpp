// What GitHub's API answers, read by the agents' library: the status, four headers and the body, a line each.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_api/account.h"
#include "github_api/checks.h"
#include "github_api/dates.h"
#include "github_api/diff_lines.h"
#include "github_api/errors.h"
#include "github_api/hooks.h"
#include "github_api/limits.h"
#include "github_api/pages.h"
#include "github_api/people.h"
#include "github_api/shapes.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::cut;
using davit::fuzz::promise;

template <class Read>
void read_shape(davit::JsonView json, Read read) {
  try {
    read(json);
  } catch (const davit::Failure& failure) {
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
  }
}

// The three lists of a commit in one object, and each of them alone.
void read_checks(davit::JsonView json) {
  read_shape(json, [](davit::JsonView all) {
    const std::string sha(all["sha"].string_or(""));
    std::vector<github::CheckRun> check_runs;
    std::vector<github::Check> statuses;
    std::vector<github::WorkflowRun> runs;
    for (const davit::JsonView one : all["check_runs"]) check_runs.push_back(github::check_run_of(one));
    for (const davit::JsonView one : all["statuses"]) statuses.push_back(github::status_of(one));
    for (const davit::JsonView one : all["workflow_runs"]) runs.push_back(github::workflow_run_of(one));
    const std::size_t most = check_runs.size() + statuses.size() + runs.size();
    const github::Checks checks =
        github::latest_of(sha, std::move(check_runs), std::move(statuses), std::move(runs));
    promise(checks.all.size() <= most, "no check is made up");
    for (const github::Check& check : checks.all) {
      promise(check.id > 0 && !check.name.empty(), "a check has an id and a name");
      promise((check.state == github::CheckState::Waiting) == check.conclusion.empty(),
              "what waits has no conclusion");
    }
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  http::Response answer;
  answer.status = cut(text, "\n") == "403" ? 403 : 429;
  for (const char* name : {"Date", "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"})
    answer.headers.push_back({name, std::string(cut(text, "\n"))});
  const std::string link(cut(text, "\n"));
  answer.body = std::string(text);

  const std::chrono::system_clock::time_point now{};
  const auto is_bounded = [](std::chrono::milliseconds wait) {
    return wait >= std::chrono::seconds(1) && wait <= std::chrono::hours(24);
  };
  const auto limit = github::limit_in(answer, now);
  promise(limit || answer.status == 403, "a 429 is about a limit");
  if (limit) promise(is_bounded(limit->wait), "a wait is from a second to a day");
  if (const auto wait = github::used_up(answer, now)) promise(is_bounded(*wait), "so is that for a budget");
  static_cast<void>(github::utc_date(link));
  const std::string sentence = github::sentence_of(answer.body);
  promise(sentence.size() <= 300, "a sentence is short");
  promise(sentence.empty() || davit::fuzz::is_one_line(sentence), "a sentence is one line");
  promise(davit::is_utf8(sentence), "a sentence is UTF-8");
  promise(link.find(github::next_page(link)) != std::string::npos, "a next page is one that was named");

  const github::DiffLines lines(answer.body);
  for (const int line : {-1, 0}) promise(!lines.hold(line, 1), "no file has a line before its first");
  static_cast<void>(lines.hold(1, 2147483647));
  try {
    const davit::Json json = davit::Json::parse(answer.body);
    read_shape(json, [](davit::JsonView view) {
      promise(github::repository_of(view).id > 0, "a repository has an id");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(github::issue_of(view).number > 0, "an issue has a number");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(!github::pull_of(view).head.sha.empty(), "a pull request has a head");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(!github::changed_file_of(view).path.empty(), "a file has a path");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(!github::code_hit_of(view).repo.name.empty(), "what was found is somewhere");
    });
    read_shape(json, [](davit::JsonView view) {
      const github::HookDelivery delivery = github::hook_delivery_of(view);
      promise(delivery.id > 0 && !delivery.guid.empty(), "a delivery has an id");
    });
    read_shape(json,
               [](davit::JsonView view) { promise(!github::token_of(view).text.empty(), "a token is one"); });
    const github::Standing standing = github::standing_of(json);
    promise(standing.permission == github::Permission::None || json["permission"].is_string(),
            "nobody is permitted what is not said");
    read_checks(json);
    read_shape(json, [](davit::JsonView view) {
      const github::Comment comment = github::comment_of(view);
      promise(comment.id > 0 && comment.author.id >= 0, "a comment has an id");
    });
  } catch (const davit::Failure&) {
    return 0;
  }
  return 0;
}
