// What goes along a chain of agents: each finds it in the result of the one before it, under "work", adds
// what it found out, and hands it on.
//
//   work::Item item = work::Item::from(context);
//   item.repository = "acme/shop";
//   return davit::AgentResult::ok({{"work", item.json()}});
#pragma once

#include <optional>
#include <string>

#include "davit/agent.hpp"
#include "work_item/request.h"

namespace work {

// A pull request of this work, or the one it is about.
struct Pull {
  int number = 0;
  std::string url;
  std::string branch;    // that it is made of
  std::string head_sha;  // as it was when this was written
};

// {summary, root_cause, steps, …}, as the skill plan-changes shapes it.
struct Plan {
  explicit Plan(davit::Json plan);

  davit::Json document;
  std::string sha256;  // of document.dump(), 64 hex digits: what was approved is what is carried out
  std::string path;    // of its file in the branch of the pull request; empty: it has none
};

// That a person approved a plan, as whoever was the first to act on it saw it: what follows in the chain
// needs no approval of its own as long as it is about that plan.
struct Approved {
  std::string plan_sha256;
  std::string by;            // "github:alice"
  std::string actor_id;      // the sender's own, may be empty
  std::string way;           // "github comment", "api"
  std::string content_hash;  // that the host bound the approval to
};

// Who caused the chain's first task, as its webhook said it: a claim, for gate::actor_of() to judge.
struct Asker {
  std::string webhook;   // the task's source: an instance's name, "cli", "api"
  davit::Json actor;     // {id, login, role} or null
  davit::Json delivery;  // of the payload {source, sender, repository: {url}}
};

// Who gave the work back with a comment, as the host tells it: a claim, likewise.
struct Rejected {
  std::string by, actor_id, way;  // as of Approved
};

struct Item {
  std::string chain;  // id of the chain's first task: whoever is told about this work is told once for it
  Asker asked_by;
  Request request;
  std::string repository;      // "owner/name"; empty: not known yet
  std::string default_branch;  // of it; empty: not known
  std::optional<Pull> pull;
  std::optional<Plan> plan;
  std::string source_sha256;  // sha256_of(request) when it was planned; empty: it was not
  std::optional<Approved> approved;
  std::optional<Rejected> rejected;  // whose comment `feedback` is; not handed on
  int round = 0;                     // how often reviews and checks gave it back to the executor
  std::string feedback;  // of the person who rejected, the review, or the checks that failed; empty: none

  // From the result of the agent before it in the chain, if that has "work"; from what was rejected, if the
  // task was given back with a comment; else from the payload. Throws davit::Failure(Permanent) that names
  // the member for a "work" of another shape, for a repository that is none, and for a plan whose hash is not
  // that of its document.
  static Item from(const davit::AgentContext& context);
  static Item from(davit::JsonView payload, davit::JsonView previous_result, std::string_view title);

  davit::Json json() const;
};

// Is it "owner/name", each of letters, digits, '-', '_' and '.', as GitHub has them, and neither "." nor
// ".."?
bool is_repository(std::string_view text);

}  // namespace work
