// One execution of the planning agent, from who asked to the pull request with the plan.
#pragma once

#include <optional>
#include <string>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "git_workspace/mirrors.h"
#include "git_workspace/session.h"
#include "github_api/api.h"
#include "planning/settings.h"
#include "repository_task/origin.h"
#include "repository_task/task.h"
#include "skills/book.h"
#include "source_note/source_note.h"
#include "work_item/work_item.h"

namespace planning {

class Planning {
 public:
  // All of it lives as long as this. `item` has a repository, and `secrets` an account.
  Planning(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
           const davit::AgentContext& context, const davit::Run& run, work::Item item);

  // Throws davit::Failure. What comes of it is told where the task came from, when a person there can make
  // something of it and nothing is tried again.
  davit::AgentResult make();

 private:
  // A plan in its branch.
  struct Placed {
    work::Plan plan;
    std::string head;                   // the commit with its file
    std::optional<davit::Usage> usage;  // of the session that made it; none: an earlier run did
  };

  davit::AgentResult make_allowed();
  void read_source();
  void refuse_closed();
  std::optional<Placed> made_before(const git::Mirror& mirror, const std::string& head) const;
  Placed make_anew(const git::Mirror& mirror, const std::optional<std::string>& head);
  work::Plan ask_model(const git::Session& session, davit::Usage& usage);
  std::string put(git::Session& session, const work::Plan& plan, const std::optional<std::string>& head);
  github::Pull open_pull(const work::Plan& plan);
  davit::AgentResult result_of(const Placed& placed, const github::Pull& pull);
  void tell(note::Stage stage, const std::string& text) { origin_.tell(stage, text); }
  work::Request heading() const { return repository_task::heading_of(item_, secrets_.redactor()); }
  std::string title() const;

  const Settings& settings_;
  const agent_config::Secrets& secrets_;
  const skills::Book& book_;
  const davit::AgentContext& context_;
  const davit::Run& run_;
  work::Item item_;
  const github::Repo repo_;
  github::Api api_;
  repository_task::Origin origin_;
  std::string branch_, path_;
  std::string source_sha256_;
  github::Repository repository_;  // as GitHub has it today
};

}  // namespace planning
