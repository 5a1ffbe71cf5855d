#include "actor_gate/actor_gate.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "davit/failure.hpp"
#include "github_api/errors.h"

namespace gate {
namespace {

using davit::Failure;
using davit::JsonView;
using davit::Status;
using github::Permission;

constexpr std::chrono::seconds kKept{60};

Answer no(std::string rule, std::string why) { return {false, std::move(rule), std::move(why)}; }

// For a sentence: names and ids are other people's text.
std::string shown(const std::string& text) { return "'" + github::one_line(text, 100) + "'"; }

std::string shown(const github::Repo& repo) { return github::one_line(repo.owner + "/" + repo.name, 200); }

// As GitHub writes it, or 0: "011" and "11 " are nobody.
std::int64_t id_in(const std::string& text) {
  std::int64_t id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool whole = error == std::errc() && stop == text.data() + text.size() && id > 0;
  return whole && std::to_string(id) == text ? id : 0;
}

// Of an address; empty: it has none.
std::string server_of(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return "";
  url.remove_prefix(begin + 3);
  return github::lower(std::string(url.substr(0, url.find_first_of("/?#"))));
}

bool is_named_as_bot(const std::string& login) { return github::lower(login).ends_with("[bot]"); }

}  // namespace

Actor actor_of(const std::string& webhook, JsonView actor, JsonView payload) {
  // What comes by the command line or the API was written by whoever may do that, payload and all.
  const bool by_hand = webhook == "cli" || webhook == "api";
  Actor read{.source = by_hand ? webhook : std::string(payload["source"].string_or("")),
             .webhook = webhook,
             .id = std::string(actor["id"].string_or("")),
             .login = std::string(actor["login"].string_or(""))};
  if (const JsonView url = payload["repository"]["url"]; read.source == "github" && url.is_string()) {
    read.server = server_of(url.string_or(""));
    if (read.server.empty()) read.server = "a server without a name";
  }
  const JsonView sender = payload["sender"];
  read.bot = is_named_as_bot(read.login) || sender["type"] == "Bot";
  // Where the two differ nobody knows who it was.
  if (sender["id"].is_string() && !(sender["id"] == read.id)) read.id.clear();
  return read;
}

Actor actor_of(const Decider& decider, const Actor& asked_by) {
  Actor actor;
  actor.webhook = decider.way.substr(0, decider.way.find(' '));
  const bool by_hand = actor.webhook == "cli" || actor.webhook == "api";
  const bool same = !by_hand && actor.webhook == asked_by.webhook;
  actor.source = same ? asked_by.source : actor.webhook;
  if (same) actor.server = asked_by.server;
  actor.id = decider.actor_id;
  const std::string prefix = actor.webhook + ":";
  if (decider.by.starts_with(prefix)) actor.login = decider.by.substr(prefix.size());
  return actor;
}

Gate::Gate(Settings settings, Now now) : settings_(std::move(settings)), now_(std::move(now)) {
  if (!now_) now_ = [] { return std::chrono::steady_clock::now(); };
}

Answer Gate::may_start(github::Api& api, const Question& question) {
  if (question.fork) return no("fork", "the branch is one of a fork, and its content is a stranger's");
  if (question.changed) return no("changed", "it was changed after it had been approved: approve it again");
  Answer answer = judge(api, question.repo, question.actor);
  if (!answer.yes) return answer;
  if (question.approver) {
    const Answer approved = judge(api, question.repo, *question.approver);
    if (!approved.yes) return no("approver", "the approval does not count: " + approved.why);
  }
  if (question.rejecter) {
    const Answer rejected = judge(api, question.repo, *question.rejecter);
    if (!rejected.yes) return no("rejecter", "the rejection does not count: " + rejected.why);
  }
  return answer;
}

Answer Gate::judge(github::Api& api, const github::Repo& repo, const Actor& actor) {
  if (actor.source == "github") {
    if (!actor.server.empty() && !settings_.server.empty() && actor.server != settings_.server)
      return no("server", "the delivery is of " + shown(actor.server) + ", and the GitHub that is asked is " +
                              shown(settings_.server) + " (github.git_url)");
    const std::int64_t id = id_in(actor.id);
    if (id == 0) return no("nobody", "nobody on GitHub has the id " + shown(actor.id));
    if (actor.bot || is_named_as_bot(actor.login)) {
      if (settings_.bots.contains(id)) return {true, "bots", shown(actor.login) + " is in gate.bots"};
      return no("bot", shown(actor.login) + " is a bot and its id is not in gate.bots");
    }
    return of_person(api, repo, id, actor.login);
  }
  if (settings_.trust.contains(actor.webhook))
    return {true, "trust", "the rules of webhook " + shown(actor.webhook) + " decide who may"};
  for (const std::string& name : {actor.webhook, actor.source}) {
    const auto people = settings_.people.find(name);
    if (people == settings_.people.end()) continue;
    const auto person = people->second.find(actor.id);
    if (person == people->second.end()) continue;
    Answer answer = of_person(api, repo, person->second, "");
    if (answer.yes) answer.rule = "people";
    return answer;
  }
  return no("stranger", "nothing says who " + shown(actor.id) + " of webhook " + shown(actor.webhook) +
                            " is on GitHub: see gate.people and gate.trust");
}

Answer Gate::of_person(github::Api& api, const github::Repo& repo, std::int64_t id,
                       const std::string& login) {
  const std::pair key(github::lower(repo.owner + "/" + repo.name), id);
  const auto now = now_();
  std::erase_if(kept_, [&](const auto& entry) { return entry.second.first <= now; });
  if (const auto kept = kept_.find(key); kept != kept_.end()) return kept->second.second;

  github::Standing standing;
  try {
    standing = api.standing(repo, id, login);
  } catch (const Failure& failure) {
    if (failure.status() == Status::RateLimited || failure.status() == Status::Cancelled) throw;
    throw Failure::retryable("whether the person with id " + std::to_string(id) + " may start work in " +
                             shown(repo) + " cannot be found out: " + failure.what());
  }
  const std::string who = shown(standing.person.login);
  if (standing.person.id != id) return no("nobody", "nobody on GitHub has the id " + std::to_string(id));
  if (standing.person.bot) {
    if (settings_.bots.contains(id)) return {true, "bots", who + " is in gate.bots"};
    return no("bot", who + " is a bot and its id is not in gate.bots");
  }
  const std::string may =
      who + " has the permission " + std::string(name_of(standing.permission)) + " in " + shown(repo);
  if (standing.permission < Permission::Write) return no("permission", may + ", and write is the least");
  Answer answer{true, "permission", may};
  kept_[key] = {now + kKept, answer};
  return answer;
}

}  // namespace gate
