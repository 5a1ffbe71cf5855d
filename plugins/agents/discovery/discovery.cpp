// Who asked is let know nothing of a repository that they may not start work in: such a repository is neither
// fetched nor searched for them, and whatever is chosen, counted or named is so among the others alone. So it
// cannot be found out by clever requests either what code it holds.
#include "discovery/discovery.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "claude_cli/outcome.h"
#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "discovery/clues.h"
#include "discovery/letters.h"
#include "discovery/links.h"
#include "discovery/search.h"
#include "model_session/model_session.h"
#include "model_session/needs.h"
#include "repository_task/task.h"
#include "source_note/last_try.h"
#include "source_note/neutral.h"

namespace discovery {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;
using repository_task::cancel_of;
using repository_task::repo_of;

constexpr std::size_t kMostNamed = 5;        // candidates in a sentence
constexpr std::size_t kMostCandidates = 10;  // in the result
constexpr std::size_t kMostForModel = 8;
constexpr std::size_t kMostEvidence = 20;    // in the result; for the model of each candidate half of it
constexpr std::chrono::hours kFresh{24};     // a copy that is older is brought up to date first
constexpr std::chrono::seconds kSearch{60};  // in one copy

// What the sender calls the thing.
std::vector<std::string> names_given(JsonView payload) {
  std::vector<std::string> names;
  const auto add = [&](JsonView name) {
    if (!name.string_or("").empty() && names.size() < 100) names.emplace_back(name.string_or(""));
  };
  for (const char* name : {"slug", "name"}) add(payload["project"][name]);
  for (const JsonView list :
       {payload["metric_alert"]["projects"], payload["issue"]["labels"], payload["tags"]})
    for (const JsonView name : list) add(name);
  return names;
}

std::string list_of(const std::vector<Candidate>& candidates) {
  std::string text;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostNamed); ++i)
    text += (i == 0 ? "" : ", ") + candidates[i].repository;
  if (candidates.size() > kMostNamed)
    text += " and " + std::to_string(candidates.size() - kMostNamed) + " more";
  return text;
}

std::string to_text(const Find& find) {
  return std::string(name_of(find.kind)) + " '" + find.clue + "'" +
         (find.where.empty() ? "" : " in " + find.where);
}

double two_digits(double score) { return std::round(score * 100) / 100; }

std::string rounded(double score) { return std::to_string(score).substr(0, 4); }

}  // namespace

Discovery::Discovery(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
                     const AgentContext& context, const davit::Run& run, work::Item item)
    : settings_(settings),
      secrets_(secrets),
      book_(book),
      context_(context),
      run_(run),
      item_(std::move(item)),
      actor_(gate::actor_of(item_.asked_by.webhook, item_.asked_by.actor, item_.asked_by.delivery)),
      gate_(settings.shared.gate),
      notes_(settings.shared.notes, secrets.notes(), context.state_folder, std::cref(secrets.redactor()),
             cancel_of(run)),
      place_(note::place_of(context.task.entity["key"].string_or(""))) {}

AgentResult Discovery::find() {
  try {
    if (!item_.repository.empty() && settings_.is_allowed(item_.repository)) {
      if (!may_start(item_.repository)) return refused();
      return result_of(
          {.repository = item_.repository, .default_branch = item_.default_branch, .how = "payload"});
    }
    const Origin origin{item_.asked_by.webhook, context_.task.payload, item_.request};
    for (std::size_t i = 0; i < settings_.mappings.size(); ++i) {
      const Mapping& mapping = settings_.mappings[i];
      if (!holds(mapping, origin)) continue;
      if (!may_start(mapping.repository)) return refused();
      return choose_known(mapping.repository, "mapping",
                          "mappings[" + std::to_string(i) + "]: " + to_text(mapping));
    }
    return choose_among(linked(item_.request, settings_.repositories, settings_.shared.github.git_url));
  } catch (const Failure& failure) {
    // What went wrong here is for the operator; it may name what is nobody's business there.
    if (!told_ && !is_stranger_ && note::is_last_try(failure, context_))
      tell("It could not be found out which repository this is about. Task " + std::string(context_.task_id) +
           " says why.");
    throw;
  }
}

AgentResult Discovery::choose_among(const std::vector<std::string>& linked) {
  // A link to what is none of theirs is no link: that it is known here is not for them to find out.
  const std::vector<std::string> named = allowed_of(linked);
  if (named.size() == 1) return choose_known(named[0], "link", "the request names it");
  const std::vector<std::string> all = named.empty() ? allowed_of(settings_.repositories) : named;
  if (all.empty()) {
    if (!undecided_.empty() && is_stranger_) throw Failure::retryable(undecided_);
    return refused();
  }
  // Work that came from another repository is not about this one for want of others.
  if (settings_.repositories.size() == 1 && item_.repository.empty())
    return choose_known(all[0], "only", "it is the only one");
  return result_of(search(all));
}

AgentResult Discovery::choose_known(const std::string& repository, std::string_view how,
                                    const std::string& reason) {
  github::Api api = api_for(repository);
  const github::Repository known = api.repository(repo_of(repository));
  if (known.archived)
    throw Failure::permanent("repository " + repository + " is archived: nothing can be changed there");
  return result_of(
      {.repository = repository, .default_branch = known.default_branch, .how = how, .reason = reason});
}

Discovery::Choice Discovery::search(const std::vector<std::string>& repositories) {
  const Clues clues = clues_of(item_.request, names_given(context_.task.payload));
  std::vector<Searched> searched;
  for (std::size_t i = 0; i < repositories.size(); ++i) {
    const std::string& repository = repositories[i];
    run_.progress(static_cast<double>(i) / static_cast<double>(repositories.size()), "searching", repository);
    try {
      searched.push_back(search_in(mirror_of(repository), repository, clues));
    } catch (const Failure& failure) {
      if (failure.status() == Status::Cancelled || failure.status() == Status::RateLimited) throw;
      log("left out", repository + " is not searched: " + failure.what());
      // What it is called may be known all the same.
      searched.push_back({.repository = repository, .finds = finds_in_name(repository, clues)});
      if (failure.status() == Status::Retryable || failure.status() == Status::Deadline)
        undecided_ = repository + " could not be searched: " + failure.what();
    }
  }
  std::vector<Candidate> candidates = ranked(std::move(searched));
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostNamed); ++i)
    log("candidate",
        candidates[i].repository + " " + rounded(candidates[i].score) +
            (candidates[i].evidence.empty() ? "" : ": " + to_text(candidates[i].evidence[0].find)));

  if (candidates[0].score >= settings_.threshold) {
    Choice choice{.repository = candidates[0].repository, .how = "search", .score = candidates[0].score};
    const auto mirror = kept(choice.repository);
    if (mirror) choice.default_branch = mirror->default_branch();
    choice.candidates = std::move(candidates);
    return choice;
  }
  if (!undecided_.empty()) {
    const Failure failure =
        Failure::retryable("it is not clear which repository is meant, and " + undecided_);
    if (!note::is_last_try(failure, context_)) throw failure;
  }
  if (candidates.size() == 1) give_up(candidates, "too little of the request is found in its code");
  std::string why = "none of them fits clearly better than the others";
  if (settings_.use_model) {
    const std::string lack = model_session::lack_of(settings_.shared, secrets_, context_);
    if (lack.empty()) return ask_model(std::move(candidates));
    why += ", and no model is asked: " + lack;
  }
  give_up(candidates, why);
}

Discovery::Choice Discovery::ask_model(std::vector<Candidate> candidates) {
  run_.progress(-1, "asking", "The model compares the candidates");
  std::vector<Candidate> best(
      candidates.begin(),
      candidates.begin() + static_cast<std::ptrdiff_t>(std::min(candidates.size(), kMostForModel)));
  std::string names, evidence;
  for (const Candidate& candidate : best) {
    names += "- " + candidate.repository + "\n";
    evidence += candidate.repository + "\n";
    for (std::size_t i = 0; i < std::min(candidate.evidence.size(), kMostEvidence / 2); ++i)
      evidence += "  " + to_text(candidate.evidence[i].find) + "\n";
    if (candidate.evidence.empty()) evidence += "  nothing that the others have not\n";
    const auto mirror = kept(candidate.repository);
    const std::string introduction = mirror ? introduction_of(*mirror) : "";
    if (!introduction.empty()) evidence += "  Its README begins:\n" + introduction + "\n";
    evidence += "\n";
  }
  std::string request = item_.request.title + "\n\n" + item_.request.text + "\n\n";
  for (const work::Detail& detail : item_.request.details)
    request += detail.name + ":\n" + detail.text + "\n\n";
  const claude::Outcome outcome =
      model_session::run({settings_.shared, secrets_, book_, context_, run_},
                         {.skill = "discover-repository",
                          .parts = {{.name = "request",
                                     .text = request,
                                     .source = item_.request.source,
                                     .author = item_.request.author},
                                    {.name = "candidates", .text = names, .trust = skills::Trust::Ours},
                                    {.name = "evidence",
                                     .text = evidence,
                                     .form = skills::Form::Verbatim,
                                     .source = "the repositories"}},
                          .tree = {}});
  Choice choice{.how = "model"};
  choice.usage = outcome.usage;
  choice.usage->cost_is_estimate = outcome.cost_is_estimate;
  if (outcome.end != claude::End::Ok && outcome.end != claude::End::GaveUp) {
    const auto failure = claude::failure_of(outcome, run_.host().now());
    if (failure && failure->status() != Status::Permanent) throw *failure;
    give_up(candidates, "the model could not be asked: " + outcome.why);
  }
  const JsonView answer = outcome.structured;
  const std::string named = lower(answer["repository"].string_or(""));
  const auto chosen = std::find_if(best.begin(), best.end(),
                                   [&](const Candidate& one) { return lower(one.repository) == named; });
  const std::string reason(answer["reasons"][0].string_or(""));
  if (outcome.end == claude::End::GaveUp || !(answer["status"] == "found"))
    give_up(candidates, "the model cannot tell: " + reason);
  if (chosen == best.end()) give_up(candidates, "the model named a repository that is no candidate");
  choice.score = std::clamp(answer["confidence"].number_or(0), 0.0, 1.0);
  if (choice.score < settings_.threshold)
    give_up(candidates,
            "the model is not sure of " + chosen->repository + " (" + rounded(choice.score) + ")");
  choice.repository = chosen->repository;
  const auto mirror = kept(choice.repository);
  if (mirror) choice.default_branch = mirror->default_branch();
  choice.reason = reason;
  choice.candidates = std::move(candidates);
  return choice;
}

AgentResult Discovery::result_of(Choice choice) {
  // What the payload says beside its repository is of that one.
  if (lower(choice.repository) != lower(item_.repository)) {
    item_.pull.reset();
    item_.plan.reset();
  }
  item_.repository = choice.repository;
  item_.default_branch = choice.default_branch;
  Json candidates = Json::array(), evidence = Json::array();
  for (const Candidate& candidate : choice.candidates) {
    if (candidates.size() == kMostCandidates) break;
    candidates.push_back(
        Json::object({{"repository", candidate.repository}, {"score", two_digits(candidate.score)}}));
  }
  if (choice.candidates.empty())
    candidates.push_back(
        Json::object({{"repository", choice.repository}, {"score", two_digits(choice.score)}}));
  if (!choice.reason.empty())
    evidence.push_back(Json::object({{"repository", choice.repository}, {"what", shown(choice.reason)}}));
  for (const Candidate& candidate : choice.candidates) {
    for (const Evidence& one : candidate.evidence) {
      if (evidence.size() == kMostEvidence) break;
      Json entry = Json::object({{"repository", candidate.repository},
                                 {"what", shown(std::string(name_of(one.find.kind)) + " " + one.find.clue)},
                                 {"weight", two_digits(one.weight)}});
      if (!one.find.where.empty()) entry.set("where", shown(one.find.where));
      evidence.push_back(std::move(entry));
    }
  }
  log("chosen", choice.repository + " by " + std::string(choice.how) + ", " + rounded(choice.score));
  AgentResult result = AgentResult::ok({{"work", item_.json()},
                                        {"repository", choice.repository},
                                        {"how", choice.how},
                                        {"score", two_digits(choice.score)},
                                        {"candidates", std::move(candidates)},
                                        {"evidence", std::move(evidence)}});
  if (choice.usage) result.with_usage(*choice.usage);
  if (!settings_.next_agent.empty()) result.then(settings_.next_agent);
  return result;
}

bool Discovery::may_start(const std::string& repository) {
  run_.progress(-1, "permission", "Who asked, and may they?");
  github::Api api = api_for(repository);
  const gate::Answer answer = gate_.may_start(api, {.repo = repo_of(repository), .actor = actor_});
  log("gate", repository + ": " + answer.rule + ": " + answer.why);
  if (answer.yes)
    is_stranger_ = false;
  else
    why_not_ = answer.why;
  return answer.yes;
}

// One that cannot be asked about is left out, as if the answer were no.
std::vector<std::string> Discovery::allowed_of(const std::vector<std::string>& repositories) {
  std::vector<std::string> allowed;
  for (const std::string& repository : repositories) {
    run_.check_cancelled();
    try {
      if (may_start(repository)) allowed.push_back(repository);
    } catch (const Failure& failure) {
      if (failure.status() != Status::Retryable) throw;
      undecided_ = failure.what();
      log("left out", repository + ": " + failure.what());
    }
  }
  return allowed;
}

// Strangers get no answer: it would be a way to make davit write, and to ask what is here.
AgentResult Discovery::refused() const {
  return AgentResult::failed(
      "no repository is looked for: " + (why_not_.empty() ? "there is none to choose from" : why_not_),
      davit::ErrorClass::Permanent);
}

// No command takes longer than what is left of the time.
git::Mirrors Discovery::mirrors() const {
  git::Settings git = settings_.shared.git_settings(context_.state_folder, secrets_.redactor());
  git.limits.local = std::min<std::chrono::milliseconds>(git.limits.local, kSearch);
  if (const auto left = run_.remaining())
    git.limits.fetch = std::clamp<std::chrono::milliseconds>(*left - settings_.shared.finish,
                                                             std::chrono::seconds(1), git.limits.fetch);
  return git::Mirrors(std::move(git), cancel_of(run_));
}

std::optional<git::Mirror> Discovery::kept(const std::string& repository) const {
  const git::Mirrors mirrors = this->mirrors();
  return mirrors.kept(mirrors.remote_at(settings_.shared.address_of(repo_of(repository))));
}

// As it was within the last day, else as it is now; where it cannot be fetched, as it was.
git::Mirror Discovery::mirror_of(const std::string& repository) const {
  const auto is_fresh = [](const git::Mirror& mirror) {
    return std::chrono::system_clock::now() - mirror.fetched_at() < kFresh;
  };
  // It is not held while it is fetched: who reads it keeps it from being repacked.
  bool was_there = false;
  if (std::optional<git::Mirror> mirror = kept(repository)) {
    if (is_fresh(*mirror)) return std::move(*mirror);
    was_there = true;
  }
  try {
    if (const auto left = run_.remaining(); left && *left < settings_.shared.finish)
      throw Failure(Status::Deadline, "no time is left to copy it");
    github::Api api = api_for(repository);
    git::Mirrors mirrors = this->mirrors();
    return mirrors.fetch(mirrors.remote_at(settings_.shared.address_of(repo_of(repository))),
                         [&api] { return api.token(); });
  } catch (const Failure& failure) {
    if (failure.status() == Status::Cancelled || !was_there) throw;
    log("left out", "what is new in " + repository + ": " + failure.what());
    std::optional<git::Mirror> mirror = kept(repository);
    if (!mirror) throw;
    return std::move(*mirror);
  }
}

void Discovery::give_up(const std::vector<Candidate>& candidates, const std::string& why) {
  const std::string names = names_for_source(candidates);
  tell("It is not clear which repository this is about" + (names.empty() ? "" : ": " + names) +
       ". Name it as owner/name in the text and ask again, or let the operator of davit map it.");
  std::string scores;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostNamed); ++i)
    scores += (i == 0 ? "" : ", ") + candidates[i].repository + " " + rounded(candidates[i].score);
  throw Failure::permanent(
      shown("it is not clear which repository is meant, " + scores + ": " + why, 800) +
      "; name it as owner/name in the request, or map what it comes from in config.mappings");
}

// An issue of GitHub may be read by anybody, so what is private is not named there. Elsewhere those read
// along who work with the person who asked, and may start work in these.
std::string Discovery::names_for_source(const std::vector<Candidate>& candidates) {
  if (!place_) return "";
  if (place_->sender != note::Sender::Github) return list_of(candidates);
  std::vector<Candidate> open;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostNamed); ++i) {
    try {
      github::Api api = api_for(candidates[i].repository);
      if (!api.repository(repo_of(candidates[i].repository)).is_private) open.push_back(candidates[i]);
    } catch (const Failure& failure) {
      if (failure.status() == Status::Cancelled) throw;
    }
  }
  return list_of(open);
}

// A courtesy: what goes wrong with it is no failure.
void Discovery::tell(const std::string& text) {
  told_ = true;
  if (!place_) return;
  try {
    std::optional<github::Api> api;
    if (place_->sender == note::Sender::Github)
      api.emplace(secrets_.account(context_.state_folder, place_->repo, {{"issues", "write"}}),
                  cancel_of(run_));
    const note::Told told =
        notes_.tell(api ? &*api : nullptr, *place_, item_.chain, note::Stage::Failed, text);
    if (!told.why_not.empty()) log("note", told.why_not);
  } catch (const Failure& failure) {
    log("note", std::string("the source was not told: ") + failure.what());
  }
}

github::Api Discovery::api_for(const std::string& repository) const {
  return github::Api(secrets_.account(context_.state_folder, repo_of(repository),
                                      {{"contents", "read"}, {"metadata", "read"}}),
                     cancel_of(run_));
}

std::string Discovery::shown(std::string_view text, std::size_t most) const {
  std::string line = secrets_.redactor()(note::visible(text));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  line.resize(davit::utf8_prefix(std::string_view(line).substr(0, most)));
  return line;
}

}  // namespace discovery
