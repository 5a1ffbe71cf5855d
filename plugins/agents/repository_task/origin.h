// The place that a task came from, and what is told there while it is worked on.
#pragma once

#include <optional>
#include <string>

#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/agent.hpp"
#include "github_api/api.h"
#include "source_note/source_note.h"
#include "work_item/work_item.h"

namespace repository_task {

// Confined to one thread; all that it is made of outlives it. `item` works on `repo`, which is asked by `api`.
class Origin {
 public:
  Origin(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
         const davit::AgentContext& context, const davit::Run& run, const work::Item& item,
         const github::Repo& repo, github::Api& api);

  // The issue as it is now, where it is one of GitHub's. Throws as github::Api::issue does.
  std::optional<github::Issue> issue();

  // Brings the note of the chain there to that stage; who reads along in another repository than `repo` is
  // told no more than he may know (source_note/readers.h). That it could not be told is in the transcript.
  void tell(note::Stage stage, const std::string& text);

 private:
  github::Api& api_there() { return api_elsewhere_ ? *api_elsewhere_ : api_; }

  const davit::AgentContext& context_;
  const davit::Run& run_;
  const work::Item& item_;
  const github::Repo& repo_;
  github::Api& api_;
  note::Notes notes_;
  std::optional<note::Place> place_;
  // For that, where it is in another repository: the token of an App is for one.
  std::optional<github::Api> api_elsewhere_;
};

}  // namespace repository_task
