// Waits for the checks of a commit, judges by rule what failed, and gives what the change broke back to the
// executor. No model. README.md states the rules.
//
// It keeps nothing: an execution that begins anew finds at GitHub what was started again, and by whom.
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "actor_gate/actor_gate.h"
#include "agent_config/secrets.h"
#include "cicd/feedback.h"
#include "cicd/judge.h"
#include "cicd/settings.h"
#include "cicd/watch.h"
#include "davit/agent.hpp"
#include "github_api/api.h"
#include "github_api/errors.h"
#include "log_text/log_text.h"
#include "redact/redactor.h"
#include "source_note/readers.h"
#include "source_note/source_note.h"
#include "work_item/work_item.h"

namespace cicd {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::ErrorClass;
using davit::Json;
using davit::JsonView;
using davit::Run;
using davit::Status;
using github::Check;
using std::chrono::milliseconds;

constexpr std::size_t kMostListed = 50;     // failures
constexpr std::size_t kMostLogs = 10;       // that are read; more failures are named only
constexpr std::size_t kMostName = 200;      // bytes of a check's name
constexpr std::size_t kMostSummary = 4096;  // bytes of what a check without log says
constexpr milliseconds kReserve{30'000};    // kept of the execution's time, to read logs
constexpr milliseconds kNap{50};

// What is watched, as the task says it.
struct Order {
  work::Item item;
  Subject subject;
};

// A repository, and the head of a pull request or a commit. The sha is empty where only the pull request is
// known.
Order order_of(const AgentContext& context) {
  Order order{.item = work::Item::from(context), .subject = {}};
  const std::string& name = order.item.repository;
  if (const std::size_t slash = name.find('/'); slash != std::string::npos)
    order.subject.repo = {name.substr(0, slash), name.substr(slash + 1)};
  const JsonView payload = context.task.payload;
  if (order.item.pull) {
    order.subject.pull = order.item.pull->number;
    order.subject.sha = order.item.pull->head_sha;
  } else {
    order.subject.sha = payload["run"]["head_sha"].string_or(payload["sha"].string_or(""));
  }
  return order;
}

bool is_sha(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string short_sha(const Subject& subject) { return subject.sha.substr(0, 12); }

// An App's token is for that repository, to read and to start jobs again.
github::Account account_for(const agent_config::Secrets& secrets, const Order& order,
                            const AgentContext& context) {
  return secrets.account(
      context.state_folder, order.subject.repo,
      {{"actions", "write"}, {"checks", "read"}, {"statuses", "read"}, {"pull_requests", "read"}});
}

// All that one execution needs.
class Judgement {
 public:
  Judgement(const Settings& settings, const agent_config::Secrets& secrets, const AgentContext& context,
            Run& run)
      : settings_(settings),
        secrets_(secrets),
        context_(context),
        run_(run),
        redactor_(secrets.redactor()),
        order_(order_of(context)),
        api_(account_for(secrets, order_, context), [&] { return run_.is_cancelled(); },
             {.remaining = [&] { return run_.remaining().value_or(std::chrono::hours(1)); }}) {}

  AgentResult result() {
    if (const std::string why = settle_subject(); !why.empty())
      return AgentResult::failed(why, ErrorClass::Permanent);
    Watch watch(api_, subject(), bounds(), clock());
    End end = watch.until_complete();
    while (end == End::Complete && start_again(watch)) end = watch.until_complete();
    switch (end) {
      case End::Superseded:
        return done("superseded", "the pull request has another head than " + short_sha(subject()) +
                                      " by now, so its checks count for nothing");
      case End::Closed:
        return done("closed", "the pull request is not open any more");
      case End::OutOfTime:
        return out_of_time(watch);
      case End::Complete:
        break;
    }
    read_failures(watch.checks());
    return judged(verdict_of(watch.checks(), failed_, !started_again_.empty()));
  }

 private:
  Subject& subject() { return order_.subject; }

  // Why nothing is done, if so. A branch of another repository is an outsider's: nothing runs again for it,
  // and nobody repairs it.
  std::string settle_subject() {
    if (subject().pull == 0) return "";
    const github::Pull pull = api_.pull(subject().repo, subject().pull);
    if (!github::same(pull.head.repo, subject().repo))
      return "pull request " + std::to_string(subject().pull) +
             " is of a branch of another repository, for which nothing is done";
    if (subject().sha.empty()) subject().sha = pull.head.sha;
    order_.item.pull->head_sha = subject().sha;
    if (order_.item.pull->url.empty()) order_.item.pull->url = pull.url;
    return "";
  }

  Bounds bounds() const {
    milliseconds wait = settings_.wait;
    if (const auto left = run_.remaining()) wait = std::min(wait, *left - kReserve);
    return {.wait = std::max(wait, milliseconds(0)), .poll = settings_.poll, .settle = settings_.settle};
  }

  Clock clock() {
    return {.now =
                [] {
                  return std::chrono::duration_cast<milliseconds>(
                      std::chrono::steady_clock::now().time_since_epoch());
                },
            .pass =
                [this](milliseconds time) {
                  const auto end = std::chrono::steady_clock::now() + time;
                  for (auto now = end - time; now < end; now = std::chrono::steady_clock::now()) {
                    run_.check_cancelled();
                    std::this_thread::sleep_for(std::min(kNap, std::chrono::ceil<milliseconds>(end - now)));
                  }
                },
            .tell = [this](const std::string& what) { run_.progress(-1, "waiting", redactor_(what)); }};
  }

  // Jobs run with rights and money of the repository, so whoever causes that must be one who may. Nobody is
  // asked about who only has the checks read.
  bool may_start_again() {
    if (!may_start_again_) {
      gate::Gate gate(settings_.shared.gate);
      const work::Asker& by = order_.item.asked_by;
      const gate::Answer answer = gate.may_start(
          api_, {.repo = subject().repo, .actor = gate::actor_of(by.webhook, by.actor, by.delivery)});
      run_.transcript("gate", redactor_(answer.rule + ": " + answer.why));
      if (!answer.yes) run_.transcript("rerun", "nothing is started again: " + redactor_(answer.why));
      may_start_again_ = answer.yes;
    }
    return *may_start_again_;
  }

  // Did anything begin anew? What cannot is judged as it is.
  bool start_again(Watch& watch) {
    bool started = false;
    for (const Check& check : to_start_again(watch.checks(), settings_.reruns)) {
      if (stays_.contains(check.run)) continue;
      if (!may_start_again()) return false;
      const std::string name = name_of(check);
      try {
        api_.rerun_failed(subject().repo, check.run, check.attempt);
      } catch (const davit::Failure& failure) {
        if (failure.status() != Status::Permanent && failure.status() != Status::NotFound) throw;
        stays_.insert(check.run);
        run_.transcript("rerun", name + " could not be started again: " + failure.what());
        continue;
      }
      watch.started_again(check.run, check.attempt);
      started_again_.push_back(name);
      run_.transcript("rerun", name + ": its failed jobs were started again");
      started = true;
    }
    return started;
  }

  void read_failures(const github::Checks& checks) {
    std::size_t logs = 0;
    for (const Check& check : failures_in(checks)) {
      Failed failed{.check = check, .name = name_of(check)};
      const bool of_job = check.kind == github::CheckKind::CheckRun && check.run > 0;
      if (!of_job) {
        failed.log = log_text::readable_log(check.summary, kMostSummary, redactor_);
      } else if (logs++ < kMostLogs) {
        read_log(failed);
      } else {
        failed.why_no_log = "more logs than " + std::to_string(kMostLogs) + " are not read";
      }
      failed.cause = cause_of(check, failed.log, settings_.infra_patterns, failed.sign);
      run_.transcript("failed", failed.name + ": " + std::string(cicd::name_of(failed.cause)) +
                                    (failed.sign.empty() ? "" : ", for its log says: " + failed.sign));
      failed_.push_back(std::move(failed));
    }
    std::stable_partition(failed_.begin(), failed_.end(),
                          [](const Failed& failed) { return failed.cause == Cause::Real; });
  }

  // A log that cannot be had is no reason not to judge.
  void read_log(Failed& failed) {
    try {
      github::LogTail tail = api_.log_tail(subject().repo, failed.check.id, settings_.log_bytes * 2);
      if (tail.cut) tail.text.erase(0, std::min(tail.text.find('\n'), tail.text.size()));
      failed.log = log_text::readable_log(tail.text, settings_.log_bytes, redactor_);
      failed.why_no_log = tail.why_not;
    } catch (const davit::Failure& failure) {
      if (failure.status() != Status::Permanent && failure.status() != Status::Retryable) throw;
      failed.why_no_log = failure.what();
    }
    if (failed.log.empty()) return;
    try {
      run_.artifact("job-" + std::to_string(failed.check.id) + ".log", "text/plain; charset=utf-8",
                    failed.log);
    } catch (const davit::Failure& failure) {
      run_.transcript("artifact", failure.what());
    }
  }

  AgentResult judged(Verdict verdict) {
    const std::string sha = short_sha(subject());
    const bool of_a_plan = order_.item.plan.has_value();
    switch (verdict) {
      case Verdict::Green:
        return done("green", "all checks of " + sha + " are good");
      case Verdict::Flaky:
        return done("flaky", "all checks of " + sha + " are good, some at their second attempt");
      case Verdict::Real:
        if (of_a_plan && !settings_.executor.empty() && order_.item.round < settings_.max_rounds)
          return given_back();
        break;
      case Verdict::Infra:
      case Verdict::None:
        if (failed_.empty()) return done("none", "there are no checks of " + sha);
        break;
    }
    std::string why = what_failed(verdict);
    if (!of_a_plan) return ended(cicd::name_of(verdict), why);
    // A change of davit's own that did not become green has failed, and people hear of it.
    if (verdict == Verdict::Real) {
      why += settings_.executor.empty()
                 ? "; config.executor names nobody to repair that"
                 : "; it was given back " + std::to_string(order_.item.round) + " times already (max_rounds)";
    }
    AgentResult result = AgentResult::failed(why, ErrorClass::Permanent);
    result.output = output(cicd::name_of(verdict), why);
    return result;
  }

  std::string what_failed(Verdict verdict) const {
    std::string names;
    for (const Failed& failed : failed_) {
      if (names.size() > 300) {
        names += ", ...";
        break;
      }
      names += (names.empty() ? "" : ", ") + failed.name + " (" + failed.check.conclusion + ")";
    }
    std::string why = "checks of " + order_.subject.sha.substr(0, 12) + " failed: " + names;
    if (verdict == Verdict::Infra) why += "; the machinery is to blame: start them again when it works";
    if (verdict == Verdict::None) why += "; somebody stopped them, or has to let them begin";
    return why;
  }

  AgentResult given_back() {
    order_.item.round += 1;
    order_.item.feedback =
        feedback_for(subject().sha, listed(), !started_again_.empty(), settings_.log_bytes);
    return ended("real", what_failed(Verdict::Real) + "; " + settings_.executor + " gets that back, round " +
                             std::to_string(order_.item.round))
        .then(settings_.executor);
  }

  AgentResult out_of_time(const Watch& watch) {
    std::string names;
    for (const Check& check : watch.checks().all)
      if (watch.waits(check) && names.size() < 300) names += (names.empty() ? "" : ", ") + name_of(check);
    const std::string why = "checks of " + short_sha(subject()) +
                            " have not ended in time: " + (names.empty() ? "they could not be read" : names);
    AgentResult result =
        AgentResult::failed(why, context_.attempt <= 1 ? ErrorClass::Retryable : ErrorClass::Permanent);
    result.output = output("waiting", why);
    return result;
  }

  // Nobody goes on with it. Where its plan was asked for, that is told; without a plan nobody asked.
  AgentResult done(std::string_view verdict, const std::string& why) {
    const auto place = note::place_of(context_.task.entity["key"].string_or(""));
    if (order_.item.plan && place) {
      std::optional<github::Api> api;  // that of an App is for the repository of the place
      if (place->sender == note::Sender::Github)
        api.emplace(secrets_.account(context_.state_folder, place->repo,
                                     {{"issues", "write"}, {"pull_requests", "write"}}),
                    [&] { return run_.is_cancelled(); });
      note::Notes notes(settings_.shared.notes, secrets_.notes(), context_.state_folder, std::cref(redactor_),
                        [&] { return run_.is_cancelled(); });
      const std::string text =
          note::for_readers(*place, subject().repo, api_,
                            "The plan was carried out: " + (order_.item.pull ? order_.item.pull->url : "") +
                                "\n\nIts checks: " + why,
                            context_.task_id);
      const note::Told told = notes.tell(api ? &*api : nullptr, *place, order_.item.chain, note::Stage::Done,
                                         text, note::Change::Existing);
      if (!told.why_not.empty()) run_.transcript("note", told.why_not);
    }
    return ended(verdict, why);
  }

  AgentResult ended(std::string_view verdict, const std::string& why) {
    run_.progress(1, verdict, why);
    return AgentResult::ok(output(verdict, why));
  }

  Json output(std::string_view verdict, const std::string& why) const {
    Json checks = Json::array();
    for (const Failed& failed : listed()) {
      Json check = Json::object({{"name", failed.name},
                                 {"conclusion", failed.check.conclusion},
                                 {"cause", cicd::name_of(failed.cause)}});
      if (failed.check.attempt > 0) check.set("attempt", failed.check.attempt);
      if (!failed.check.url.empty()) check.set("url", redactor_(github::one_line(failed.check.url, 1000)));
      if (!failed.sign.empty()) check.set("sign", failed.sign);
      if (!failed.why_no_log.empty()) check.set("why_no_log", failed.why_no_log);
      checks.push_back(std::move(check));
    }
    return Json::object({{"verdict", verdict},
                         {"why", why},
                         {"sha", order_.subject.sha},
                         {"failed", std::move(checks)},
                         {"started_again", started_again_},
                         {"work", order_.item.json()}});
  }

  // Those that are told of, the change's own first.
  std::span<const Failed> listed() const {
    return std::span<const Failed>(failed_).first(std::min(failed_.size(), kMostListed));
  }

  std::string name_of(const Check& check) const { return redactor_(github::one_line(check.name, kMostName)); }

  const Settings& settings_;
  const agent_config::Secrets& secrets_;
  const AgentContext& context_;
  Run& run_;
  const redact::Redactor& redactor_;
  Order order_;
  github::Api api_;
  std::vector<std::string> started_again_;  // their names
  std::set<std::int64_t> stays_;            // workflow runs that cannot be
  std::optional<bool> may_start_again_;     // nullopt: nobody was asked yet
  std::vector<Failed> failed_;
};

class CicdAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {
        .name = "cicd-agent",
        .display_name = "CI Agent",
        .description =
            "Waits for the checks of a commit, judges what failed, and gives it back to be repaired",
        .capabilities = {davit::AgentCapability::Monitoring, davit::AgentCapability::Analysis},
        .config_schema = config_schema(),
        .secrets = {github::kTokenGrant, github::kAppKeyGrant, "jira_token", "sentry_token", "slack_token"}};
  }

  void configure(const Json& config) override { settings_ = Settings::from(config); }

  Decision pre_execute(const AgentContext& context) override {
    const Order order = order_of(context);
    if (order.subject.repo.name.empty())
      return Decision::no(
          "the task names no repository: it comes from an agent that pushed, or from a run on GitHub");
    if (order.subject.pull == 0 && order.subject.sha.empty())
      return Decision::no("the task names neither a pull request nor a commit whose checks to wait for");
    if (!order.subject.sha.empty() && !is_sha(order.subject.sha))
      return Decision::no("the commit of the task is not named by its whole sha, in small letters");
    const agent_config::Secrets secrets(settings_.shared, host());
    try {
      github::Api(account_for(secrets, order, context), {});
    } catch (const davit::Failure& failure) {
      return Decision::no(failure.what());
    }
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const agent_config::Secrets secrets(settings_.shared, host());
    return Judgement(settings_, secrets, context, run).result();
  }

 private:
  Settings settings_;
};

}  // namespace
}  // namespace cicd

DAVIT_REGISTER_AGENT(cicd::CicdAgent)
