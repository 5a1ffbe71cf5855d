// Who may cause work in a repository: nobody, unless a rule below says yes.
//
// Whoever can write to a repository can do there what an agent does. So the agent asks GitHub what the person
// may do, at the moment it starts, and by number: logins change hands, and what a delivery says about its
// sender (author_association, a name that ends in [bot]) is no more than a claim.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "actor_gate/settings.h"
#include "davit/json.hpp"
#include "github_api/api.h"

namespace gate {

struct Actor {
  std::string source;       // what kind of sender: "github", "jira", "slack", "sentry", "cli", "api", ...
  std::string webhook;      // as it is called in the configuration: "jira-eu"
  std::string id;           // the sender's own
  std::string login = {};   // where to look first
  bool bot = false;         // somebody says it is one, which counts against it only
  std::string server = {};  // of GitHub's, "github.com"; empty: the delivery names none
};

// Who did what a task came from: `webhook` is the source of the chain's first task, `actor` and `payload` are
// that task's. Of the payload only its members source, sender and repository.url count, which work::Asker has
// along a chain.
Actor actor_of(const std::string& webhook, davit::JsonView actor, davit::JsonView payload);

// Who decided about work, as the host tells it of an approval and of a rejection: his webhook is the first
// word of the way it came by. Of which kind it is can be told where it is the webhook that the chain began
// with (`asked_by`, of a sender `source`), or has the name of its kind.
struct Decider {
  std::string by;        // "github:alice"
  std::string actor_id;  // the sender's own, may be empty
  std::string way;       // "github comment", "api"
};
Actor actor_of(const Decider& decider, const Actor& asked_by);

struct Question {
  github::Repo repo;
  Actor actor;
  std::optional<Actor> approver = {};  // of work that waited for a person
  std::optional<Actor> rejecter = {};  // of work that is done again with that person's words
  bool changed = false;                // what was approved is not what is there now
  bool fork = false;                   // the work would take up a branch of another repository
};

struct Answer {
  bool yes = false;
  std::string rule;  // for the audit: "permission", "bots", "trust", "people"; of a no what stood against it
  std::string why;   // a sentence
};

// One thread. Keeps a yes about a person for a minute, a no never.
class Gate {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  explicit Gate(Settings settings, Now now = {});  // without one the system's clock

  // In this order: no to a fork and to what was changed after its approval; then the actor, the
  // approver, the rejecter, each for itself:
  //   another GitHub server's        no: its ids are other people's
  //   webhooks in `trust`            yes
  //   GitHub                         who may write (or maintain, administer); bots that are in `bots`
  //   others                         whom `people` has, as that person on GitHub
  // Throws davit::Failure when it cannot be found out, so that nothing runs: RateLimited and Cancelled as
  // they are, all else as Retryable.
  Answer may_start(github::Api& api, const Question& question);

 private:
  Answer judge(github::Api& api, const github::Repo& repo, const Actor& actor);
  Answer of_person(github::Api& api, const github::Repo& repo, std::int64_t id, const std::string& login);

  Settings settings_;
  Now now_;
  // Who may, until when, and what.
  std::map<std::pair<std::string, std::int64_t>, std::pair<std::chrono::steady_clock::time_point, Answer>>
      kept_;
};

}  // namespace gate
