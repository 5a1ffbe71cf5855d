// One execution of the discovery agent, from the request to the repository.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actor_gate/actor_gate.h"
#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "discovery/ranking.h"
#include "discovery/settings.h"
#include "git_workspace/mirrors.h"
#include "github_api/api.h"
#include "skills/book.h"
#include "source_note/source_note.h"
#include "work_item/work_item.h"

namespace discovery {

class Discovery {
 public:
  // All of it lives as long as this. `secrets` has an account.
  Discovery(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
            const davit::AgentContext& context, const davit::Run& run, work::Item item);

  // Throws davit::Failure. What comes of it is told where the task came from, when somebody who may start
  // work asked there and nothing is tried again.
  davit::AgentResult find();

 private:
  struct Choice {
    std::string repository, default_branch;
    std::string_view how;  // "payload", "mapping", "link", "only", "search", "model"
    double score = 1;
    std::string reason = {};  // in one line
    std::vector<Candidate> candidates = {};
    std::optional<davit::Usage> usage = {};
  };

  davit::AgentResult choose_among(const std::vector<std::string>& linked);
  davit::AgentResult choose_known(const std::string& repository, std::string_view how,
                                  const std::string& reason);
  Choice search(const std::vector<std::string>& repositories);
  Choice ask_model(std::vector<Candidate> candidates);
  davit::AgentResult result_of(Choice choice);

  bool may_start(const std::string& repository);
  std::vector<std::string> allowed_of(const std::vector<std::string>& repositories);
  davit::AgentResult refused() const;
  git::Mirrors mirrors() const;
  std::optional<git::Mirror> kept(const std::string& repository) const;
  git::Mirror mirror_of(const std::string& repository) const;
  [[noreturn]] void give_up(const std::vector<Candidate>& candidates, const std::string& why);
  std::string names_for_source(const std::vector<Candidate>& candidates);
  void tell(const std::string& text);

  github::Api api_for(const std::string& repository) const;
  std::string shown(std::string_view text, std::size_t most = 200) const;
  void log(std::string_view kind, const std::string& line) const { run_.transcript(kind, shown(line, 1000)); }

  const Settings& settings_;
  const agent_config::Secrets& secrets_;
  const skills::Book& book_;
  const davit::AgentContext& context_;
  const davit::Run& run_;
  work::Item item_;
  const gate::Actor actor_;
  gate::Gate gate_;
  note::Notes notes_;
  std::optional<note::Place> place_;  // where the task came from
  std::string why_not_;               // what the gate said last against it
  std::string undecided_;    // what kept us from looking everywhere, if another try may help; else empty
  bool is_stranger_ = true;  // nothing says yet that who asked may start any work
  bool told_ = false;
};

}  // namespace discovery
