// Reviews a pull request with a model that can only look, and posts what it found as one review. README.md
// has the rules.
#include <string>
#include <utility>
#include <vector>

#include "agent_config/secrets.h"
#include "code_review/code_review.h"
#include "code_review/settings.h"
#include "davit/agent.hpp"
#include "model_session/needs.h"
#include "repository_task/skilled_agent.h"
#include "repository_task/task.h"
#include "work_item/work_item.h"

namespace review {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::Json;
using davit::Run;

// It tells senders nothing, so it gets none of their tokens.
std::vector<std::string> secrets_it_asks_for() {
  std::vector<std::string> names = agent_config::names_of_secrets();
  std::erase_if(names, [](const std::string& name) {
    return name == "jira_token" || name == "sentry_token" || name == "slack_token";
  });
  return names;
}

class CodeReviewAgent : public repository_task::SkilledAgent<Settings> {
 public:
  davit::AgentMetadata metadata() const override {
    return {
        .name = "code-review-agent",
        .display_name = "Code Review Agent",
        .description = "Reviews a pull request and posts what it found as one review with comments at lines",
        .capabilities = {davit::AgentCapability::Review},
        .timeout_seconds = 1800,
        .config_schema = config_schema(),
        .secrets = secrets_it_asks_for()};
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const work::Item item = work::Item::from(context);
    if (item.repository.empty())
      return Decision::no(
          "the task names no repository: it comes along a chain, or from a pull request on GitHub");
    if (!item.pull)
      return Decision::no(
          "the task names no pull request: it comes along a chain, or from a pull request on GitHub");
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
    return CodeReview(settings(), secrets, book(), context, run, work::Item::from(context)).make();
  }
};

}  // namespace
}  // namespace review

DAVIT_REGISTER_AGENT(review::CodeReviewAgent)
