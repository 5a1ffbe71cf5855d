// Finds the repository that a request is about. README.md has the rules.
#include <string>
#include <utility>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "discovery/discovery.h"
#include "discovery/settings.h"
#include "git_workspace/command.h"
#include "repository_task/skilled_agent.h"
#include "repository_task/task.h"
#include "work_item/work_item.h"

namespace discovery {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::Json;
using davit::Run;

class DiscoveryAgent : public repository_task::SkilledAgent<Settings> {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "discovery-agent",
            .display_name = "Discovery Agent",
            .description = "Finds the repository that a request is about",
            .capabilities = {davit::AgentCapability::Discovery},
            .timeout_seconds = 1800,
            .config_schema = config_schema(),
            .secrets = agent_config::names_of_secrets()};
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const work::Item item = work::Item::from(context);
    const work::Request& request = item.request;
    if (request.text.empty() && request.details.empty() && request.title.empty())
      return Decision::no("the task asks for nothing");
    if (item.repository.empty() && settings().repositories.empty())
      return Decision::no(
          "the task names no repository, and there is none to choose from: name them in config.repositories "
          "or config.mappings");
    // A person's word is not guessed at.
    if (request.source == "manual" && !item.repository.empty() && !settings().is_allowed(item.repository))
      return Decision::no("repository " + item.repository +
                          " may not be chosen: it is not in config.repositories");
    const agent_config::Secrets secrets(settings().shared, host());
    if (const std::string lack = repository_task::lack_of_basics(context, secrets); !lack.empty())
      return Decision::no(lack);
    if (const std::string lack = git::lack_of_git(); !lack.empty()) return Decision::no(lack);
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const agent_config::Secrets secrets(settings().shared, host());
    return Discovery(settings(), secrets, book(), context, run, work::Item::from(context)).find();
  }
};

}  // namespace
}  // namespace discovery

DAVIT_REGISTER_AGENT(discovery::DiscoveryAgent)
