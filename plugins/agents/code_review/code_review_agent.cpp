// Reviews a pull request with a model that can only look, and posts what it found as one review. README.md
// has the rules.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent_config/secrets.h"
#include "code_review/code_review.h"
#include "code_review/settings.h"
#include "davit/agent.hpp"
#include "model_session/needs.h"
#include "skills/book.h"
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

class CodeReviewAgent : public davit::Agent {
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

  void configure(const Json& config) override {
    settings_ = Settings::from(config);
    book_.emplace(settings_.shared.skills);
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
    return CodeReview(settings_, secrets, *book_, context, run, work::Item::from(context)).make();
  }

 private:
  Settings settings_;
  std::optional<skills::Book> book_;
};

}  // namespace
}  // namespace review

DAVIT_REGISTER_AGENT(review::CodeReviewAgent)
