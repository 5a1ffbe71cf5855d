// Makes a plan for what somebody asked for and puts it before a person, as a draft pull request. README.md
// has the rules.
#include <optional>
#include <string>
#include <utility>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "model_session/needs.h"
#include "planning/planning.h"
#include "planning/settings.h"
#include "skills/book.h"
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

class PlanningAgent : public davit::Agent {
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

  void configure(const Json& config) override {
    settings_ = Settings::from(config);
    book_.emplace(settings_.shared.skills);
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const work::Item item = work::Item::from(context);
    if (item.repository.empty())
      return Decision::no(
          "the task names no repository: let discovery-agent find it first, or give the payload a "
          "repository");
    if (!asks_for_something(item.request)) return Decision::no("the task asks for nothing");
    if (context.state_folder.empty() || context.workspace.empty())
      return Decision::no("the host gives no state folder or no workspace, and both are needed");
    const agent_config::Secrets secrets(settings_.shared, host());
    if (!secrets.no_account().empty()) return Decision::no(secrets.no_account());
    if (const std::string lack = model_session::lack_of(settings_.shared, secrets, context); !lack.empty())
      return Decision::no(lack);
    model_session::await_account(settings_.shared, secrets, context, host().now());
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const agent_config::Secrets secrets(settings_.shared, host());
    return Planning(settings_, secrets, *book_, context, run, work::Item::from(context)).make();
  }

 private:
  Settings settings_;
  std::optional<skills::Book> book_;
};

}  // namespace
}  // namespace planning

DAVIT_REGISTER_AGENT(planning::PlanningAgent)
