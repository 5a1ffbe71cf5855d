// Makes a plan for what somebody asked for and puts it before a person, as a draft pull request. README.md
// has the rules.
#include <string>
#include <utility>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "model_session/needs.h"
#include "planning/planning.h"
#include "planning/settings.h"
#include "repository_task/skilled_agent.h"
#include "repository_task/task.h"
#include "work_item/work_item.h"

namespace planning {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::Failure;
using davit::Json;
using davit::Run;

bool asks_for_something(const work::Request& request) {
  return !request.text.empty() || !request.details.empty() || !request.title.empty();
}

class PlanningAgent : public repository_task::SkilledAgent<Settings> {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "planning-agent",
            .display_name = "Planning Agent",
            .description = "Plans a change and puts the plan before a person, as a draft pull request",
            .capabilities = {davit::AgentCapability::Planning},
            .timeout_seconds = 1800,
            .config_schema = config_schema(),
            .secrets = agent_config::names_of_secrets()};
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const work::Item item = work::Item::from(context);
    if (item.repository.empty())
      return Decision::no(
          "the task names no repository: let discovery-agent find it first, or give the payload a "
          "repository");
    if (!asks_for_something(item.request)) return Decision::no("the task asks for nothing");
    const agent_config::Secrets secrets(settings().shared, host());
    if (const std::string lack = repository_task::lack_of_basics(context, secrets); !lack.empty())
      return Decision::no(lack);
    if (const std::string lack = model_session::lack_of(settings().shared, secrets, context); !lack.empty())
      return Decision::no(lack);
    model_session::await_account(settings().shared, secrets, context, host().now());
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const agent_config::Secrets secrets(settings().shared, host());
    return Planning(settings(), secrets, book(), context, run, work::Item::from(context)).make();
  }
};

}  // namespace
}  // namespace planning

DAVIT_REGISTER_AGENT(planning::PlanningAgent)
