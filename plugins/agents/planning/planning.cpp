// The branch is named after the task, and its last commit after the task, the plan and what was asked for. So
// a run that comes after one that was cut short sees by the branch how far that one came: what was pushed is
// not planned again, and a pull request that is there is not opened again.
#include "planning/planning.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "actor_gate/actor_gate.h"
#include "claude_cli/outcome.h"
#include "davit/failure.hpp"
#include "git_workspace/branch.h"
#include "git_workspace/message.h"
#include "model_session/model_session.h"
#include "plan_page/plan_page.h"
#include "source_note/last_try.h"
#include "source_note/neutral.h"

namespace planning {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;
using repository_task::cancel_of;
using repository_task::repo_of;

constexpr const char* kTrailer = "Davit-Plan";
constexpr std::size_t kMostOfPlan = 256 * 1024;  // bytes of the document

// What somebody at the source should read as it is.
class Cannot : public Failure {
 public:
  explicit Cannot(const std::string& why) : Failure(Status::Permanent, "this cannot be planned: " + why) {}
};

bool is_rework(const AgentContext& context) { return context.previous_result["rejected"].is_object(); }

// Work that was rejected is done again where it was; all else has a branch of its own.
std::string branch_for(const Settings& settings, const AgentContext& context, const work::Item& item,
                       const std::string& key) {
  const std::string& prefix = settings.shared.branch_prefix;
  if (is_rework(context) && item.pull && item.pull->branch.starts_with(prefix) &&
      git::valid_branch(item.pull->branch))
    return item.pull->branch;
  // The end of the id is random; its beginning is the time.
  constexpr std::size_t kDigits = 12;
  const std::string_view id = context.task_id;
  return git::branch_name(prefix, "plan " + key, id.substr(id.size() - std::min(id.size(), kDigits)));
}

std::string path_for(const Settings& settings, const std::string& key) {
  std::string path = settings.plan_path;
  const std::string field = "{key}";
  if (const std::size_t at = path.find(field); at != std::string::npos) path.replace(at, field.size(), key);
  return path;
}

// "Davit-Plan: TASK PLAN SOURCE".
std::string trailer_of(const AgentContext& context, const work::Plan& plan, const std::string& source) {
  return std::string(context.task_id) + " " + plan.sha256 + " " + source;
}

std::string details_of(const work::Request& request) {
  std::string text;
  for (const work::Detail& detail : request.details) {
    text +=
        detail.name + (detail.author.empty() ? "" : " by " + detail.author) + ":\n" + detail.text + "\n\n";
  }
  return text;
}

std::string sentences_of(const std::vector<git::Refusal>& refused) {
  std::string text;
  for (const git::Refusal& refusal : refused) text += (text.empty() ? "" : "; ") + refusal.sentence;
  return text;
}

}  // namespace

Planning::Planning(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
                   const AgentContext& context, const davit::Run& run, work::Item item)
    : settings_(settings),
      secrets_(secrets),
      book_(book),
      context_(context),
      run_(run),
      item_(std::move(item)),
      repo_(repo_of(item_.repository)),
      api_(secrets.account(context.state_folder, repo_,
                           {{"contents", "write"}, {"issues", "write"}, {"pull_requests", "write"}}),
           cancel_of(run)),
      origin_(settings.shared, secrets, context, run, item_, repo_, api_) {
  const std::string key = plan_page::key_of(context.task.entity["key"].string_or(""), heading().title);
  branch_ = branch_for(settings, context, item_, key);
  path_ = path_for(settings, key);
}

AgentResult Planning::make() {
  run_.progress(-1, "permission", "Who asked, and may they?");
  gate::Gate gate(settings_.shared.gate);
  const gate::Answer answer = gate.may_start(api_, repository_task::question_of(item_, repo_));
  run_.transcript("gate", secrets_.redactor()(answer.rule + ": " + answer.why));
  // Strangers who ask get no answer: it would be a way to make davit write.
  if (answer.rule == "rejecter") tell(note::Stage::Failed, "Nothing is planned anew: " + answer.why);
  if (!answer.yes) return AgentResult::failed("no plan is made: " + answer.why, davit::ErrorClass::Permanent);
  try {
    return make_allowed();
  } catch (const Cannot& cannot) {
    tell(note::Stage::Failed, cannot.what());
    throw;
  } catch (const Failure& failure) {
    // What went wrong here is for the operator; it may name what is nobody's business there.
    if (note::is_last_try(failure, context_))
      tell(note::Stage::Failed,
           "No plan could be made. Task " + std::string(context_.task_id) + " says why.");
    throw;
  }
}

AgentResult Planning::make_allowed() {
  tell(note::Stage::Started, "It is being planned.");
  repository_ = api_.repository(repo_);
  if (repository_.archived) throw Cannot("the repository is archived");
  refuse_closed();
  read_source();

  run_.progress(-1, "repository", "Fetching " + item_.repository);
  const git::Token token = [this] { return api_.token(); };
  git::Mirrors mirrors(settings_.shared.git_settings(context_.state_folder, secrets_.redactor()),
                       cancel_of(run_));
  const git::Mirror mirror = mirrors.fetch(mirrors.remote_at(settings_.shared.address_of(repo_)), token);
  const std::optional<std::string> head = mirror.head(branch_);

  std::optional<Placed> placed = head ? made_before(mirror, *head) : std::nullopt;
  if (placed)
    run_.transcript("plan", "the plan of " + branch_ + " is there already: nothing is planned again");
  else
    placed = make_anew(mirror, head);
  return result_of(*placed, open_pull(placed->plan));
}

// What is planned is what is asked for now; by its hash whoever carries it out sees that it still is.
void Planning::read_source() {
  if (const auto issue = origin_.issue()) {
    item_.request.title = issue->title;
    item_.request.text = issue->body;
    item_.request.author = issue->author.login;
    if (!issue->url.empty()) item_.request.url = issue->url;
  }
  source_sha256_ = work::sha256_of(item_.request);
}

// A person who closed or merged the plan has said what is to become of it.
void Planning::refuse_closed() {
  const std::optional<github::Pull> pull = api_.pull_of_branch(repo_, branch_);
  if (!pull || pull->state == github::PullState::Open) return;
  throw Failure::permanent("pull request " + std::to_string(pull->number) + " of branch " + branch_ +
                           " is closed: open it again and retry the task, or make a new task");
}

std::optional<Planning::Placed> Planning::made_before(const git::Mirror& mirror,
                                                      const std::string& head) const {
  const std::optional<std::string> base = mirror.head(mirror.default_branch());
  if (!base) return std::nullopt;
  const std::vector<git::Commit> commits = mirror.commits(*base, head, 1);
  if (commits.empty() || commits[0].id != head) return std::nullopt;
  const std::optional<std::string> file = mirror.read(head, path_);
  std::optional<work::Plan> plan = file ? plan_page::plan_in(*file) : std::nullopt;
  if (!plan || git::trailer(commits[0].message, kTrailer) != trailer_of(context_, *plan, source_sha256_))
    return std::nullopt;
  return Placed{std::move(*plan), head, std::nullopt};
}

Planning::Placed Planning::make_anew(const git::Mirror& mirror, const std::optional<std::string>& head) {
  const std::string start = head.value_or(mirror.default_branch());
  if (start.empty()) throw Cannot("the repository is empty");
  git::Session session = git::Session::open(mirror, start, context_.workspace);
  davit::Usage usage;
  work::Plan plan = ask_model(session, usage);
  std::string commit = put(session, plan, head);
  return {std::move(plan), std::move(commit), std::move(usage)};
}

work::Plan Planning::ask_model(const git::Session& session, davit::Usage& usage) {
  run_.progress(-1, "planning", "The model reads the repository");
  const work::Request& request = item_.request;
  std::string feedback = item_.feedback;
  if (!feedback.empty() && is_rework(context_)) feedback += "\n\n(This is about the plan in " + path_ + ".)";
  const claude::Outcome outcome = model_session::run(
      {settings_.shared, secrets_, book_, context_, run_},
      {.skill = "plan-changes",
       .parts = {{.name = "repository", .text = item_.repository, .trust = skills::Trust::Ours},
                 {.name = "base", .text = session.base(), .trust = skills::Trust::Ours},
                 {.name = "request",
                  .text = request.title + "\n\n" + request.text,
                  .source = request.source,
                  .author = request.author},
                 {.name = "details", .text = details_of(request), .source = request.source},
                 {.name = "feedback", .text = feedback, .source = "a person who looked at a plan"}},
       .tree = session.tree()});
  usage = outcome.usage;
  usage.cost_is_estimate = outcome.cost_is_estimate;
  if (outcome.end == claude::End::GaveUp) {
    const std::string_view summary = outcome.structured["summary"].string_or("");
    throw Cannot(summary.empty() ? secrets_.redactor()(outcome.why) : std::string(summary));
  }
  if (const auto failure = claude::failure_of(outcome, run_.host().now())) throw *failure;
  if (const std::string fault = plan_page::fault_of(outcome.structured); !fault.empty())
    throw Failure::retryable("the model's plan is of no use: " + fault);
  work::Plan plan(outcome.structured);
  if (plan.document.dump().size() > kMostOfPlan)
    throw Failure::retryable("the model's plan is of no use: it is longer than 256 KiB");
  return plan;
}

// -> the commit
std::string Planning::put(git::Session& session, const work::Plan& plan,
                          const std::optional<std::string>& head) {
  run_.progress(-1, "pushing", branch_);
  session.write(path_, plan_page::file_of(plan, heading()));
  // Whatever else the tree became is not for the branch.
  const git::Change change = session.change({.allow = {path_}, .deny = {}});
  if (!change.refused.empty())
    throw Failure::permanent("the plan is not pushed: " + sentences_of(change.refused));
  if (change.is_empty() && !head)
    throw Failure::permanent("the plan is not pushed: " + path_ +
                             " is left out by the repository's .gitignore; choose another plan_path");
  const std::string commit =
      session.commit(change, {.name = settings_.author_name, .email = settings_.author_email},
                     plan_page::in_line("Plan: " + heading().title, 100),
                     git::Trailer{kTrailer, trailer_of(context_, plan, source_sha256_)});
  session.push(branch_, head, [this] { return api_.token(); });
  return commit;
}

std::string Planning::title() const { return "Plan: " + plan_page::in_line(heading().title, 200); }

// A person may have written to the pull request meanwhile: of what is there only another plan's text is
// replaced.
github::Pull Planning::open_pull(const work::Plan& plan) {
  run_.progress(-1, "pull request", branch_);
  const std::string body = plan_page::body_of(plan, heading(), path_);
  github::Pull pull = api_.ensure_pull(repo_, {.branch = branch_,
                                               .base = repository_.default_branch,
                                               .title = title(),
                                               .body = body,
                                               .draft = settings_.draft});
  if (pull.state != github::PullState::Open)
    throw Failure::permanent("pull request " + std::to_string(pull.number) + " of the plan is closed");
  github::PullChange change;
  if (pull.body.find(plan.sha256) == std::string::npos) change.body = body;
  // Where there are no drafts the title says that there is nothing to merge yet.
  if (settings_.draft && !pull.draft && pull.title == title()) change.title = "[plan] " + title();
  if (change.body || change.title) pull = api_.update_pull(repo_, pull.number, change);
  if (!settings_.labels.empty()) api_.add_labels(repo_, pull.number, settings_.labels);
  return pull;
}

AgentResult Planning::result_of(const Placed& placed, const github::Pull& pull) {
  item_.default_branch = repository_.default_branch;
  item_.pull = work::Pull{pull.number, pull.url, branch_, placed.head};
  item_.plan = placed.plan;
  item_.plan->path = path_;
  item_.source_sha256 = source_sha256_;
  item_.approved.reset();
  item_.feedback.clear();
  try {
    run_.artifact("plan.md", "text/markdown", plan_page::page_of(placed.plan, heading()));
  } catch (const Failure&) {  // it is in the pull request
  }
  const bool ends = settings_.next_agent.empty();
  tell(ends ? note::Stage::Done : note::Stage::NeedsApproval,
       "The plan is " + pull.url + "\n\n" + std::string(placed.plan.document["summary"].string_or("")));

  AgentResult result = AgentResult::ok(
      {{"work", item_.json()},
       {"plan_sha256", placed.plan.sha256},
       {"source_sha256", source_sha256_},
       {"pull_request",
        Json::object(
            {{"number", pull.number}, {"url", pull.url}, {"branch", branch_}, {"head_sha", placed.head}})}});
  result.also_about("github:" + github::lower(repository_.repo.owner + "/" + repository_.repo.name) + "#" +
                    std::to_string(pull.number));
  if (placed.usage) result.with_usage(*placed.usage);
  if (!ends) result.then(settings_.next_agent).after_approval();
  return result;
}

}  // namespace planning
