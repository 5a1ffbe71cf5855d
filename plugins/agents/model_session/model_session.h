// One session of a model, as an agent wants it: a skill, the texts of the task and a tree, and what its
// config, its grants and the host allow; an outcome with an answer that may be shown.
//
//   const claude::Outcome outcome = model_session::run(
//       {settings, secrets, book, context, run},
//       {.skill = "plan-changes", .parts = {{.name = "request", .text = text}}, .tree = session.tree()});
//   if (const auto failure = claude::failure_of(outcome, now)) throw *failure;
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "claude_cli/outcome.h"
#include "davit/agent.hpp"
#include "skills/book.h"
#include "skills/prompt.h"

namespace model_session {

// What the session comes from; all of it lives until run() returns.
struct Execution {
  const agent_config::Settings& settings;
  const agent_config::Secrets& secrets;
  const skills::Book& book;
  const davit::AgentContext& context;
  const davit::Run& run;
};

struct Work {
  std::string skill;                // its name
  std::vector<skills::Part> parts;  // for the skill's fields
  std::filesystem::path tree;  // writable only for a skill that edits; empty: a new folder in the workspace
};

// Blocks. The skill says which tools the session has, what it must answer, and its model and turns where it
// is stricter than the config. It ends when its money (the config's or the host's, whichever is less) or the
// execution's time, less finish_seconds, is used up. In its outcome every text is without known secrets and
// hidden characters, also inside the answer.
//
// What it meets of the account's limits, of a refused key or of an overload, all know that use the account
// (model_account). Throws davit::Failure: RateLimited, before anything is begun, while that takes no session;
// Deadline when no time is left for one; Permanent without a workspace; and as skills::fill and
// claude::run_confined do.
claude::Outcome run(const Execution& execution, const Work& work);

// Several sessions of one execution. Each has an id of its own; they share the host's money, and what is
// reported is what all of them used.
class Sessions {
 public:
  explicit Sessions(const Execution& execution) : execution_(execution) {}

  // As run() does; throws Permanent, too, when nothing of the host's money is left for one more. The usage of
  // the outcome is that session's.
  claude::Outcome run(const Work& work);

  int count() const { return count_; }
  const davit::Usage& usage() const { return usage_; }  // of all that ended

 private:
  const Execution execution_;
  int count_ = 0;
  davit::Usage usage_;
};

// Every text in it without secrets and hidden characters (those without a width of their own are gone, others
// are shown as <U+E0041>), names of members included.
davit::Json without_secrets(davit::JsonView json, const redact::Redactor& redactor);

}  // namespace model_session
