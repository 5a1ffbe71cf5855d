// Carries out the plan that a person approved, and nothing else. README.md has the rules.
#include <string>
#include <utility>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "executor/approval.h"
#include "executor/execution.h"
#include "executor/settings.h"
#include "executor/test_run.h"
#include "git_workspace/branch.h"
#include "model_session/needs.h"
#include "plan_page/plan_page.h"
#include "repository_task/skilled_agent.h"
#include "repository_task/task.h"
#include "work_item/work_item.h"

namespace executor {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::Json;
using davit::Run;

// What is missing of what an execution needs; empty: nothing.
std::string lack_of(const work::Item& item, const Settings& settings) {
  if (item.repository.empty()) return "the task names no repository";
  if (!item.plan || !plan_page::fault_of(item.plan->document).empty())
    return "the task has no plan: planning-agent makes one, and a person approves it";
  if (!item.pull || !git::is_object_id(item.pull->head_sha))
    return "the task has no pull request with the commit of its plan: planning-agent opens one";
  if (!git::valid_branch(item.pull->branch) || !item.pull->branch.starts_with(settings.shared.branch_prefix))
    return "the branch of the plan's pull request is not davit's: those are below " +
           settings.shared.branch_prefix;
  return "";
}

class ExecutorAgent : public repository_task::SkilledAgent<Settings> {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "executor-agent",
            .display_name = "Executor Agent",
            .description =
                "Carries out an approved plan in a sandbox, tests it, and pushes it to the plan's "
                "pull request",
            .capabilities = {davit::AgentCapability::Execution},
            .config_schema = config_schema(),
            .secrets = agent_config::names_of_secrets()};
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const work::Item item = work::Item::from(context);
    if (const std::string lack = lack_of(item, settings()); !lack.empty()) return Decision::no(lack);
    if (!approval_of(context, item))
      return Decision::no(
          "nobody approved this plan: it is for the agent that made it to let a person approve it "
          "(wait_for_approval)");
    const agent_config::Secrets secrets(settings().shared, host());
    if (const std::string lack = repository_task::lack_of_basics(context, secrets); !lack.empty())
      return Decision::no(lack);
    if (const std::string lack = model_session::lack_of(settings().shared, secrets, context); !lack.empty())
      return Decision::no(lack);
    if (const std::string fault = fault_of_commands(settings()); !fault.empty()) return Decision::no(fault);
    model_session::await_account(settings().shared, secrets, context, host().now());
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const agent_config::Secrets secrets(settings().shared, host());
    return Execution(settings(), secrets, book(), context, run, work::Item::from(context)).make();
  }
};

}  // namespace
}  // namespace executor

DAVIT_REGISTER_AGENT(executor::ExecutorAgent)
