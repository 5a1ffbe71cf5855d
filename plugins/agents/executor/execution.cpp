// The commit says of itself which task made it of which plan (record.h). So a run that comes after one that
// was cut short sees by the branch how far that one came: what was pushed is not made again, and what is told
// on the pull request is told of that commit.
//
// A change is looked at, and becomes git's, before any program of it runs; its tests run in a checkout of it.
// Whatever they leave is no part of what is pushed.
#include "executor/execution.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "actor_gate/actor_gate.h"
#include "claude_cli/outcome.h"
#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "executor/approval.h"
#include "executor/plan_bounds.h"
#include "git_workspace/folder.h"
#include "github_api/errors.h"
#include "log_text/log_text.h"
#include "plan_page/plan_page.h"
#include "source_note/last_try.h"
#include "source_note/neutral.h"

namespace executor {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::ErrorClass;
using davit::Failure;
using davit::Json;
using davit::Status;
using repository_task::cancel_of;
using repository_task::repo_of;

constexpr std::size_t kMostCommits = 1000;        // above the approved one
constexpr std::size_t kMostOfChange = 64 * 1024;  // that a repair is shown
constexpr std::size_t kMostOfTail = 8 * 1024;     // of the log, in the result
constexpr std::size_t kMostListed = 1000;         // files in the result
constexpr std::size_t kMostRefusalsInResult = 200;
constexpr std::size_t kMostPath = 500;

// What somebody at the source should read as it is.
class Cannot : public Failure {
 public:
  explicit Cannot(const std::string& why)
      : Failure(Status::Permanent, "the plan cannot be carried out: " + why) {}
};

class Refused : public Cannot {
 public:
  explicit Refused(std::vector<git::Refusal> all)
      : Cannot("what was made of it is not allowed here: " + sentences_of(all)), refused(std::move(all)) {}
  std::vector<git::Refusal> refused;
};

constexpr const char* kPlanRule = "plan";

// Nothing is wrong but that it goes beyond the plan.
bool is_only_beyond(const std::vector<git::Refusal>& refused) {
  return !refused.empty() && std::all_of(refused.begin(), refused.end(),
                                         [](const git::Refusal& one) { return one.rule == kPlanRule; });
}

bool is_rework(const AgentContext& context) { return context.previous_result["rejected"].is_object(); }

Json json_of(const std::vector<git::Refusal>& refused) {
  Json list = Json::array();
  for (std::size_t i = 0; i < refused.size() && i < kMostRefusalsInResult; ++i)
    list.push_back(Json::object(
        {{"path", refused[i].path}, {"rule", refused[i].rule}, {"sentence", refused[i].sentence}}));
  return list;
}

std::string_view status_of(const git::File& file) {
  if (file.old_mode == git::kNoFile) return "added";
  return file.new_mode == git::kNoFile ? "removed" : "modified";
}

}  // namespace

Execution::Execution(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
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
  item_.approved = approval_of(context, item_);
  approved_here_ =
      context.approval && item_.approved && context.approval->content_hash == item_.approved->content_hash;
}

AgentResult Execution::make() {
  run_.progress(-1, "permission", "Who asked, who approved, and may they?");
  gate::Gate gate(settings_.shared.gate);
  gate::Question question = repository_task::question_of(item_, repo_);
  const work::Approved& approved = *item_.approved;
  question.approver = gate::actor_of({approved.by, approved.actor_id, approved.way}, question.actor);
  const gate::Answer answer = gate.may_start(api_, question);
  run_.transcript("gate", secrets_.redactor()(answer.rule + ": " + answer.why));
  if (!answer.yes) {
    // Nothing is lost by it: whoever may approve still can.
    if (answer.rule == "approver" && approved_here_) {
      tell(note::Stage::NeedsApproval, "Nothing was carried out: " + answer.why +
                                           ". The plan still waits for an approval, by somebody who may.");
      return AgentResult::approval_does_not_count(answer.why);
    }
    // A stranger who asked gets no answer: it would be a way to make davit write.
    if (answer.rule == "approver" || answer.rule == "rejecter")
      tell(note::Stage::Failed, "Nothing was carried out: " + answer.why);
    return AgentResult::failed("nothing is carried out: " + answer.why, ErrorClass::Permanent);
  }
  try {
    return make_allowed();
  } catch (const Refused& refusal) {
    return refused_result(refusal.what(), refusal.refused);
  } catch (const Cannot& cannot) {
    tell(note::Stage::Failed, cannot.what());
    throw;
  } catch (const Void& gone) {
    tell(note::Stage::Failed, gone.what());
    throw;
  } catch (const Failure& failure) {
    // What went wrong here is for the operator; it may name what is nobody's business there.
    if (note::is_last_try(failure, context_))
      tell(note::Stage::Failed,
           "The plan could not be carried out. Task " + std::string(context_.task_id) + " says why.");
    throw;
  }
}

AgentResult Execution::make_allowed() {
  run_.transcript("approval", "plan " + item_.plan->sha256 + " was approved by " +
                                  secrets_.redactor()(github::one_line(item_.approved->by, 200)) +
                                  ", content hash " + item_.approved->content_hash);
  check_bound(item_, *item_.approved);
  tell(note::Stage::Started, "The approved plan is being carried out.");
  repository_ = api_.repository(repo_);
  if (repository_.archived) throw Cannot("the repository is archived");
  check_pull();
  check_source();

  run_.progress(-1, "repository", "Fetching " + item_.repository);
  git::Mirrors mirrors(settings_.shared.git_settings(context_.state_folder, secrets_.redactor()),
                       cancel_of(run_));
  const git::Mirror mirror = mirrors.fetch(mirrors.remote_at(settings_.shared.address_of(repo_)), token());
  const std::optional<std::string> head = mirror.head(item_.pull->branch);
  if (!head) throw Cannot("branch " + item_.pull->branch + " of its pull request is gone");
  check_history(mirror, *head);

  // Of a shallow mirror only the last commit can be seen.
  const std::string& approved_head = item_.pull->head_sha;
  const std::vector<git::Commit> above =
      mirror.is_shallow() ? mirror.commits(mirror.head(mirror.default_branch()).value_or(*head), *head, 1)
                          : mirror.commits(approved_head, *head, kMostCommits);
  if (const auto found = found_in(above, context_.task_id, item_.plan->sha256))
    return result_of(landed_before(mirror, *head, *found));
  if (*head != approved_head)
    run_.transcript("branch",
                    "somebody else pushed to " + item_.pull->branch + ": the work begins with " + *head);
  read_plan_file(mirror, *head);
  return result_of(carry_out(mirror, *head));
}

void Execution::check_pull() {
  pull_ = api_.pull(repo_, item_.pull->number);
  const std::string name = "pull request " + std::to_string(pull_.number);
  if (pull_.state != github::PullState::Open)
    throw Failure::permanent(name + " of the plan is closed: open it again and retry the task");
  if (!github::same(pull_.head.repo, repo_))
    throw Failure::permanent(name + " is of a branch of another repository, to which nothing is pushed");
  if (pull_.head.name != item_.pull->branch)
    throw Failure::permanent(name + " is not of branch " + item_.pull->branch);
  if (is_first()) check_pull_text(*item_.plan, pull_.body);
}

// Where it can be read again. What is asked for at another sender counts as it was approved.
void Execution::check_source() {
  if (const auto issue = origin_.issue()) executor::check_source(item_, issue->title, issue->body);
}

// That what was approved is in the branch still.
void Execution::check_history(const git::Mirror& mirror, const std::string& head) const {
  const std::string& approved_head = item_.pull->head_sha;
  if (mirror.is_shallow() || approved_head == head) return;
  if (!mirror.has(approved_head) || mirror.merge_base(approved_head, head) != approved_head)
    throw Void("branch " + item_.pull->branch + " was rewritten, and commit " + approved_head.substr(0, 12) +
               " is not in it any more");
}

// That what people read there is the plan. Once something was made of it, its file may be gone.
void Execution::read_plan_file(const git::Mirror& mirror, const std::string& head) {
  if (item_.plan->path.empty()) return;
  plan_file_ = mirror.read(head, item_.plan->path);
  if (plan_file_ || is_first()) check_plan_file(*item_.plan, heading(), plan_file_);
}

// The execution before this one came as far as its commit. What it did not see pass is tried again, for a
// person may have mended it meanwhile; so is what somebody pushed on top of it.
Landed Execution::landed_before(const git::Mirror& mirror, const std::string& head, const Found& found) {
  run_.transcript("commit",
                  "commit " + found.commit.id + " of this task is there already: nothing is made again");
  Landed landed{.sha = head, .message = words_of(found.commit.message), .record = found.record};
  const std::string parent = found.commit.parents.empty() ? "" : found.commit.parents.front();
  if (git::is_object_id(parent) && mirror.has(parent)) landed.files = mirror.files(parent, head);
  landed.beyond = beyond(*item_.plan, landed.files, settings_.test_paths);
  if (head == found.commit.id && found.record.verdict == Verdict::Passed) {
    landed.tests.verdict = Verdict::Passed;
    return landed;
  }
  const git::Session session = git::Session::open(mirror, head, context_.workspace);
  landed.tests = run_tests(settings_, context_, run_, session.tree(), secrets_.redactor());
  return landed;
}

Landed Execution::carry_out(const git::Mirror& mirror, const std::string& head) {
  git::Session session = git::Session::open(mirror, head, context_.workspace);
  Made made = work_on(session, mirror);
  const Record record{.chain = item_.chain,
                      .round = item_.round,
                      .task = std::string(context_.task_id),
                      .plan_sha256 = item_.plan->sha256,
                      .change_sha256 = made.change.sha256,
                      .verdict = made.tests.verdict};
  const std::string message = message_of(made.answer.subject, made.answer.body, made.answer.deviations);
  run_.progress(-1, "pushing", item_.pull->branch);
  keep("change.diff", "text/x-diff; charset=utf-8", davit::to_utf8(made.change.diff));
  const std::string sha =
      session.commit(made.change, {.name = settings_.author_name, .email = settings_.author_email}, message,
                     record.trailer());
  // A session takes long enough for somebody to say something else meanwhile.
  check_source();
  session.push(item_.pull->branch, head, token());
  std::vector<std::string> others = beyond(*item_.plan, made.change.files, settings_.test_paths);
  return {.sha = sha,
          .message = message,
          .record = record,
          .files = std::move(made.change.files),
          .beyond = std::move(others),
          .tests = std::move(made.tests)};
}

Execution::Made Execution::work_on(git::Session& session, const git::Mirror& mirror) {
  model_session::Sessions sessions({settings_.shared, secrets_, book_, context_, run_});
  const std::string so_far = is_repair() ? change_so_far(mirror, session.base()) : "";
  Complaint complaint{item_.feedback, is_repair() ? "checks, or a review, of the pull request"
                                                  : "a person who looked at the change"};
  std::optional<Made> made;
  for (int left = settings_.fix_rounds;; --left) {
    try {
      Made next = work_once(sessions, session, complaint, so_far, left);
      if (made) {
        // The first answer is about the whole.
        Answer& answer = made->answer;
        answer.deviations.insert(answer.deviations.end(), next.answer.deviations.begin(),
                                 next.answer.deviations.end());
        next.answer = std::move(answer);
        if (next.change.tree == made->change.tree) left = 0;
      }
      made = std::move(next);
    } catch (const Failure& failure) {
      // What was made before stands; that it could not be mended is told with it.
      const bool is_over = failure.status() == Status::Permanent || failure.status() == Status::Deadline;
      if (!made || !is_over) throw;
      made->tests.why += "; it was not repaired: " + std::string(failure.what());
      return *std::move(made);
    }
    if (made->tests.verdict != Verdict::Failed || left <= 0) return *std::move(made);
    run_.transcript("tests", made->tests.why + ": the model gets that back");
    complaint = {made->tests.why + "\n\n" + made->tests.log, "the test command"};
  }
}

Execution::Made Execution::work_once(model_session::Sessions& sessions, git::Session& session,
                                     const Complaint& complaint, const std::string& so_far, int& left) {
  Made made;
  made.answer = ask_model(sessions, session, complaint, so_far);
  made.change = look_at(session);
  if (left > 0 && is_only_beyond(made.change.refused)) {
    --left;
    made.answer.deviations = take_back(sessions, session, made.change.refused, complaint, so_far);
    made.change = look_at(session);
  }
  if (!made.change.refused.empty()) throw Refused(std::move(made.change.refused));
  if (is_nothing(made.change)) throw Cannot("the model says that it is done, and changed nothing");
  made.tests = try_out(session, made.change);
  return made;
}

// Its files are put back as they were by a session that is told which; the answer's deviations.
std::vector<std::string> Execution::take_back(model_session::Sessions& sessions, git::Session& session,
                                              const std::vector<git::Refusal>& refused,
                                              const Complaint& complaint, const std::string& so_far) {
  const std::string why = sentences_of(refused);
  run_.transcript("plan", why + ": the model gets that back");
  Complaint again{why + "\nPut back what was changed there, or answer cannot.", "what may be changed"};
  if (!complaint.text.empty()) {
    again.text += "\n\n" + complaint.text;
    again.source += ", and " + complaint.source;
  }
  try {
    return ask_model(sessions, session, again, so_far).deviations;
  } catch (const Cannot&) {
    throw;
  } catch (const Failure& failure) {
    // What was refused says more than that there was no money left to mend it.
    if (failure.status() != Status::Permanent) throw;
    run_.transcript("plan", std::string("it was not taken back: ") + failure.what());
    throw Refused(refused);
  }
}

// What the pull request changes, for a repair.
std::string Execution::change_so_far(const git::Mirror& mirror, const std::string& head) const {
  const std::optional<std::string> base = mirror.head(mirror.default_branch());
  const std::optional<std::string> fork = base ? mirror.merge_base(*base, head) : std::nullopt;
  return fork ? davit::to_utf8(mirror.diff(*fork, head, kMostOfChange).text) : "";
}

Answer Execution::ask_model(model_session::Sessions& sessions, git::Session& session,
                            const Complaint& complaint, const std::string& so_far) {
  run_.progress(-1, "working",
                sessions.count() == 0 ? "The model carries out the plan" : "The model repairs");
  session.give_repository();
  const Order order = is_repair() ? to_repair(settings_, item_, complaint, is_bound(), so_far)
                                  : to_execute(settings_, item_, complaint, is_bound());
  const claude::Outcome outcome =
      sessions.run({.skill = order.skill, .parts = order.parts, .tree = session.tree()});
  usage_ = sessions.usage();
  const auto said = [&](std::string_view otherwise) {
    const davit::JsonView answer = outcome.structured;
    return std::string(answer["summary"].string_or(answer["explanation"].string_or(otherwise)));
  };
  if (outcome.end == claude::End::GaveUp) throw Cannot(said(secrets_.redactor()(outcome.why)));
  if (const auto failure = claude::failure_of(outcome, run_.host().now())) throw *failure;
  if (outcome.structured["status"] == "judged")
    throw Cannot("the model found nothing of the change to repair: " + said(""));
  Answer answer = Answer::from(outcome.structured);
  for (const std::string& warning : answer.warnings) run_.transcript("warning", warning);
  return answer;
}

git::Change Execution::look_at(git::Session& session) {
  const std::string& path = item_.plan->path;
  git::Gate gate = settings_.gate;
  if (!path.empty()) {
    // It is not the model's to change.
    if (settings_.keep_plan && plan_file_)
      session.write(path, *plan_file_);
    else
      session.remove(path);
    gate.allow.push_back(path);
    gate.most_files += 1;
    if (plan_file_) gate.most_bytes += 2 * plan_file_->size();
  }
  git::Change change = session.change(gate);
  // The session read what strangers wrote; the plan is what a person read.
  if (is_bound()) {
    for (const std::string& other : beyond(*item_.plan, change.files, settings_.test_paths)) {
      const std::string shown = secrets_.redactor()(github::one_line(davit::to_utf8(other), kMostPath));
      change.refused.push_back(
          {shown, kPlanRule,
           shown + " is neither named by the approved plan nor a test: it may not be changed"});
    }
  }
  return change;
}

bool Execution::is_nothing(const git::Change& change) const {
  return std::all_of(change.files.begin(), change.files.end(),
                     [&](const git::File& file) { return file.path == item_.plan->path; });
}

TestReport Execution::try_out(const git::Session& session, const git::Change& change) {
  const std::filesystem::path folder = context_.workspace / "tested";
  TestReport report;
  if (!settings_.test_command.empty()) {
    git::remove_folder(folder);
    session.copy_to(change, folder);
  }
  report = run_tests(settings_, context_, run_, folder, secrets_.redactor());
  git::remove_folder(folder);
  return report;
}

// A person may have written to the pull request meanwhile: of what is there only a text about this plan is
// replaced, and only a title of a plan. `verdict`: of what landed; nullopt: nothing did.
void Execution::update_pull(const std::string& body, std::optional<Verdict> verdict) {
  run_.progress(-1, "pull request", pull_.url);
  const redact::Redactor& redactor = secrets_.redactor();
  const bool passed = verdict == Verdict::Passed;
  github::PullChange change;
  // Where there are no drafts the title alone says that there is nothing to merge yet.
  if (std::string title = title_of(pull_.title); title != pull_.title && verdict && (passed || pull_.draft))
    change.title = redactor(title);
  if (pull_.body.find(item_.plan->sha256) != std::string::npos) change.body = redactor(body);
  pull_ = api_.update_pull(repo_, pull_.number, change);
  if (passed && settings_.ready && pull_.draft) pull_ = api_.mark_ready(repo_, pull_.number);
}

AgentResult Execution::refused_result(const std::string& why, const std::vector<git::Refusal>& refused) {
  try {
    update_pull(page_of(refused, *item_.plan, heading()), std::nullopt);
  } catch (const Failure& failure) {
    // The session is paid for, and another one would not make it better.
    if (failure.status() == Status::Cancelled) throw;
    run_.transcript("pull request", std::string("it does not say what was refused: ") + failure.what());
  }
  tell(note::Stage::Failed, why);
  AgentResult result = AgentResult::failed(why, ErrorClass::Permanent);
  result.output = Json::object({{"work", item_.json()}, {"refused", json_of(refused)}});
  result.with_usage(usage_);
  return result;
}

AgentResult Execution::result_of(const Landed& landed) {
  if (!landed.tests.log.empty()) keep("test.log", "text/plain; charset=utf-8", landed.tests.log);
  const bool failed = landed.tests.verdict == Verdict::Failed;
  update_pull(page_of(landed, *item_.plan, heading(), settings_.test_command), landed.tests.verdict);
  item_.default_branch = repository_.default_branch;
  item_.pull = work::Pull{pull_.number, pull_.url, item_.pull->branch, landed.sha};
  item_.feedback.clear();

  AgentResult result = AgentResult::ok(output_of(landed));
  if (failed) {
    const std::string why = "the plan was carried out in " + pull_.url + ", but " + landed.tests.why;
    result = AgentResult::failed(secrets_.redactor()(why), ErrorClass::Permanent);
    result.output = output_of(landed);
    tell(note::Stage::Failed, "The plan was carried out, but its tests fail: " + pull_.url);
  } else {
    const bool ends = settings_.next_agent.empty();
    tell(ends ? note::Stage::Done : note::Stage::Started,
         (ends ? "The plan was carried out: " : "The plan was carried out, and is looked at now: ") +
             pull_.url + "\n\n" + landed.message.substr(0, landed.message.find('\n')));
    if (!ends) result.then(settings_.next_agent);
  }
  if (usage_.cost_usd > 0 || usage_.output_tokens > 0) result.with_usage(usage_);
  return result;
}

Json Execution::output_of(const Landed& landed) const {
  const redact::Redactor& redactor = secrets_.redactor();
  Json files = Json::array(), beyond_plan = Json::array();
  for (std::size_t i = 0; i < landed.files.size() && i < kMostListed; ++i)
    files.push_back(Json::object(
        {{"path", davit::to_utf8(landed.files[i].path)}, {"status", status_of(landed.files[i])}}));
  for (const std::string& path : landed.beyond) beyond_plan.push_back(davit::to_utf8(path));
  const TestReport& tests = landed.tests;
  Json command = Json::array();
  for (const std::string& word : settings_.test_command) command.push_back(redactor(word));
  return Json::object({{"work", item_.json()},
                       {"commits", Json::array({landed.sha})},
                       {"head_sha", landed.sha},
                       {"message", redactor(landed.message)},
                       {"files", std::move(files)},
                       {"beyond_plan", std::move(beyond_plan)},
                       {"tests", Json::object({{"command", std::move(command)},
                                               {"verdict", name_of(tests.verdict)},
                                               {"passed", tests.verdict == Verdict::Passed},
                                               {"why", redactor(tests.why)},
                                               {"tail", log_text::end_of(tests.log, kMostOfTail)}})},
                       {"plan_sha256", item_.plan->sha256},
                       {"change_sha256", landed.record.change_sha256}});
}

void Execution::keep(const char* name, const char* type, const std::string& content) const {
  try {
    run_.artifact(name, type, secrets_.redactor()(content));
  } catch (const Failure& failure) {
    run_.transcript("artifact", failure.what());
  }
}

// What of the request is shown beside the plan.
bool Execution::is_first() const { return item_.round == 0 && !is_rework(context_); }

bool Execution::is_repair() const {
  return item_.round > 0 && !item_.feedback.empty() && !is_rework(context_);
}

}  // namespace executor
