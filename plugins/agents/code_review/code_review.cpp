// What is reviewed is the head that GitHub shows when the execution begins, and nothing is posted that is not
// of that commit. What a session found is kept before it is posted: whatever cuts an execution short, the
// next one pays for no second session, finds its review, and decides the same.
#include "code_review/code_review.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "actor_gate/actor_gate.h"
#include "claude_cli/outcome.h"
#include "code_review/diff.h"
#include "code_review/kept.h"
#include "code_review/page.h"
#include "davit/failure.hpp"
#include "git_workspace/command.h"
#include "git_workspace/gate.h"
#include "git_workspace/session.h"
#include "model_session/model_session.h"
#include "repository_task/task.h"

namespace review {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Failure;
using davit::Json;

// The skill is told to stop there; what it gives beyond is taken all the same.
constexpr int kMostFindings = 40;

Failure moved(int number) {
  return Failure::retryable("pull request " + std::to_string(number) +
                            " got another head while it was looked at: it is reviewed anew");
}

std::string notes_on(const Diff& diff, std::size_t files) {
  std::string text = "It shows " + std::to_string(diff.shown) + " of " + std::to_string(files) +
                     " changed files; the number in front of a line is the one it has after the change.\n";
  if (files >= kMostListed) text += "GitHub lists no more files than these: there may be others.\n";
  for (const LeftOut& file : diff.left_out) text += "Left out: " + file.path + " (" + file.why + ")\n";
  return text;
}

}  // namespace

CodeReview::CodeReview(const Settings& settings, const agent_config::Secrets& secrets,
                       const skills::Book& book, const AgentContext& context, const davit::Run& run,
                       work::Item item)
    : settings_(settings),
      secrets_(secrets),
      book_(book),
      context_(context),
      run_(run),
      item_(std::move(item)),
      repo_(repository_task::repo_of(item_.repository)),
      api_(secrets.account(context.state_folder, repo_, {{"contents", "read"}, {"pull_requests", "write"}}),
           repository_task::cancel_of(run),
           {.remaining = [&run] { return run.remaining().value_or(std::chrono::hours(1)); }}) {}

AgentResult CodeReview::make() {
  run_.progress(-1, "permission", "Who asked, and may they?");
  pull_ = api_.pull(repo_, item_.pull->number);
  gate::Gate gate(settings_.shared.gate);
  gate::Question question = repository_task::question_of(item_, repo_);
  question.fork = is_fork() && !settings_.forks;
  const gate::Answer answer = gate.may_start(api_, question);
  run_.transcript("gate", secrets_.redactor()(answer.rule + ": " + answer.why));
  // Strangers get no answer: it would be a way to make davit write.
  if (!answer.yes)
    return AgentResult::failed("nothing is reviewed: " + answer.why, davit::ErrorClass::Permanent);
  if (pull_.state != github::PullState::Open)
    return without_review("closed", "the pull request is not open any more");
  if (const std::string why = why_not(); !why.empty()) return without_review("skipped", why);
  if (!git::is_object_id(pull_.head.sha))
    throw Failure::permanent("GitHub's answer about the pull request names no commit");
  refuse_old_head();

  const Kept kept(context_.state_folder, github::lower(item_.repository) + "#" + std::to_string(pull_.number),
                  pull_.head.sha, [this] { return may_wait(); });
  std::optional<davit::Usage> usage;
  std::optional<Review> review = kept.read();
  if (review) {
    run_.transcript("review", "what was found in " + review->sha + " is kept: nothing is reviewed again");
  } else if ((review = review_anew(usage))) {
    kept.write(*review);
  } else {
    return without_review("none", "the pull request changes no file");
  }
  run_.progress(-1, "posting", "Pull request " + std::to_string(pull_.number));
  const github::PostedReview posted =
      api_.ensure_review(repo_, pull_.number, review->sha, page_of(*review, settings_));
  AgentResult result = result_of(*review, posted);
  if (usage) result.with_usage(*usage);
  return result;
}

// GitHub tells of a push, and nobody asked.
bool CodeReview::is_of_event() const {
  return !is_in_chain() && context_.task.payload["source"] == "github" &&
         context_.task.payload["event"] == "pull_request";
}

// Of one that is gone nothing is known. The repository may have another name by now than the task's.
bool CodeReview::is_fork() const {
  return pull_.head.repo.name.empty() || !github::same(pull_.head.repo, pull_.base.repo);
}

// A person who asks, and the chain that made it, get a review of whatever it is.
std::string CodeReview::why_not() {
  if (!is_of_event()) return "";
  if (pull_.draft) return "the pull request is a draft";
  if (pull_.author.id == api_.me().id)
    return "the pull request is davit's own, and is reviewed where it is worked on";
  const bool skipped = std::any_of(
      settings_.skip_authors.begin(), settings_.skip_authors.end(),
      [&](const std::string& login) { return github::lower(login) == github::lower(pull_.author.login); });
  return skipped ? "its author is in skip_authors" : "";
}

// A commit that was just pushed may not be there yet in what GitHub answers; its head of before is not what
// is to be reviewed.
void CodeReview::refuse_old_head() {
  const std::string& pushed = item_.pull->head_sha;
  if (pushed.empty() || pushed == pull_.head.sha) return;
  if (!mirror().has(pushed) || !mirror().has(pull_.head.sha)) return;
  if (mirror().merge_base(pushed, pull_.head.sha) == pull_.head.sha)
    throw Failure::retryable(
        "GitHub does not show commit " + pushed + " at pull request " + std::to_string(pull_.number) + " yet",
        std::chrono::seconds(15));
}

// For another execution that reviews the same; what comes after it takes its time, too.
bool CodeReview::may_wait() const {
  run_.check_cancelled();
  const auto left = run_.remaining();
  return !left || *left > 2 * settings_.shared.finish;
}

const git::Mirror& CodeReview::mirror() {
  if (mirror_) return *mirror_;
  run_.progress(-1, "repository", "Fetching " + item_.repository);
  git::Mirrors mirrors(settings_.shared.git_settings(context_.state_folder, secrets_.redactor()),
                       [this] { return run_.is_cancelled(); });
  mirror_ = mirrors.fetch(mirrors.remote_at(settings_.shared.address_of(repo_)),
                          [this] { return api_.token(); }, {pull_.number});
  return *mirror_;
}

// Nullopt where nothing is changed.
std::optional<Review> CodeReview::review_anew(std::optional<davit::Usage>& usage) {
  const std::vector<github::ChangedFile> files = api_.files(repo_, pull_.number);
  if (api_.pull(repo_, pull_.number).head.sha != pull_.head.sha) throw moved(pull_.number);
  if (files.empty()) return std::nullopt;
  const Diff diff = diff_of(files, settings_.max_diff_bytes);
  Review review{.sha = pull_.head.sha, .looked_at = false};
  if (diff.shown > 0) review = ask_model(files, diff, usage);
  review.left_out = diff.left_out;
  if (files.size() >= kMostListed)
    review.left_out.push_back(
        {"and others", "GitHub lists no more than " + std::to_string(kMostListed) + " changed files"});
  // The model's part is so already; the rest is names that anybody may have given.
  const Json found = review.json();
  const Json shown = model_session::without_secrets(found, secrets_.redactor());
  return Review::from(shown);
}

// What the change is to be merged into. A mirror that has last commits only need not have the branch.
std::string CodeReview::base() {
  if (mirror().has(pull_.base.sha)) return pull_.base.sha;
  for (const std::string& branch : {pull_.base.name, mirror().default_branch()})
    if (const auto head = mirror().head(branch)) return *head;
  throw Failure::permanent("the repository has no branch that the change could be merged into");
}

Review CodeReview::ask_model(const std::vector<github::ChangedFile>& files, const Diff& diff,
                             std::optional<davit::Usage>& usage) {
  if (!mirror().has(pull_.head.sha))
    throw Failure::retryable("the head of pull request " + std::to_string(pull_.number) +
                                 " is not in the repository yet, or not any more",
                             std::chrono::seconds(15));
  git::Session session = git::Session::open(mirror(), pull_.head.sha, context_.workspace);
  session.take_from(base(), git::paths_that_lead_agents());

  run_.progress(-1, "reviewing", "The model reads the change");
  const claude::Outcome outcome = model_session::run(
      {settings_.shared, secrets_, book_, context_, run_},
      {.skill = "review-changes",
       .parts = {{.name = "repository", .text = item_.repository, .trust = skills::Trust::Ours},
                 {.name = "pull_request",
                  .text = pull_.title + "\n\n" + pull_.body,
                  .source = "GitHub pull request",
                  .author = pull_.author.login},
                 {.name = "plan",
                  .text = item_.plan ? item_.plan->document.dump() : "",
                  .form = skills::Form::Verbatim,
                  .source = "the plan that a person approved",
                  .most = 256 * 1024},
                 {.name = "diff",
                  .text = diff.text,
                  .form = skills::Form::Verbatim,
                  .source = "GitHub",
                  // What is hidden in it is shown by several characters, and nothing is to be cut for that.
                  .most = 4 * settings_.max_diff_bytes + 1024},
                 {.name = "diff_notes",
                  .text = notes_on(diff, files.size()),
                  .form = skills::Form::Verbatim,
                  .source = "davit, with names of files that anybody may have given"},
                 {.name = "most_findings",
                  .text = std::to_string(std::max(kMostFindings, settings_.most_comments)),
                  .trust = skills::Trust::Ours}},
       .tree = session.tree()});
  usage = outcome.usage;
  usage->cost_is_estimate = outcome.cost_is_estimate;
  const std::string summary(outcome.structured["summary"].string_or(""));
  if (outcome.end == claude::End::GaveUp && !summary.empty())
    throw Failure::permanent("this cannot be reviewed: " + summary);
  if (const auto failure = claude::failure_of(outcome, run_.host().now())) throw *failure;
  if (summary.empty()) throw Failure::retryable("the model's review is of no use: it has no summary");
  return read_answer(outcome.structured, pull_.head.sha, Places(files));
}

AgentResult CodeReview::result_of(const Review& review, const github::PostedReview& posted) {
  keep_findings(review);
  const std::string_view verdict = verdict_of(review, settings_.block_at);
  item_.pull->head_sha = review.sha;
  if (item_.pull->url.empty()) item_.pull->url = pull_.url;
  item_.feedback.clear();
  std::string next = is_in_chain() ? settings_.next_agent : "";
  // Without a plan nobody could repair anything.
  const bool is_given_back = verdict == "blocking" && item_.plan && is_in_chain() &&
                             !settings_.executor.empty() && item_.round < settings_.max_rounds;
  if (is_given_back) {
    next = settings_.executor;
    item_.round += 1;
    item_.feedback = feedback_for(review, *settings_.block_at);
    run_.transcript("review", next + " gets the change back, round " + std::to_string(item_.round));
  }
  const auto at_lines = std::count_if(review.findings.begin(), review.findings.end(),
                                      [](const Finding& finding) { return finding.at_lines; });
  Json left_out = Json::array();
  for (const LeftOut& file : review.left_out) left_out.push_back(file.path);
  AgentResult result = AgentResult::ok(
      {{"work", item_.json()},
       {"verdict", verdict},
       {"head_sha", review.sha},
       {"review_id", posted.id},
       {"review_url", posted.url},
       {"findings", review.findings.size()},
       {"comments",
        posted.made ? posted.at_lines : std::min(static_cast<int>(at_lines), settings_.most_comments)},
       {"left_out", std::move(left_out)}});
  if (!next.empty()) result.then(next);
  return result;
}

// Whoever comes next has nothing to do with what is closed or left alone.
AgentResult CodeReview::without_review(const std::string& verdict, const std::string& why) {
  run_.transcript("review", why);
  AgentResult result = AgentResult::ok({{"work", item_.json()}, {"verdict", verdict}, {"why", why}});
  if (verdict == "none" && is_in_chain() && !settings_.next_agent.empty()) result.then(settings_.next_agent);
  return result;
}

void CodeReview::keep_findings(const Review& review) const {
  try {
    run_.artifact("findings.json", "application/json", review.json().dump());
  } catch (const Failure& failure) {  // they are at the pull request
    run_.transcript("artifact", failure.what());
  }
}

}  // namespace review
