// One library of two files, with several plugins of both kinds in each.
#include <davit/agent.hpp>
#include <davit/webhook.hpp>

namespace {

template <char kName>
class Webhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override { return {.name = std::string("webhook-") + kName}; }
  davit::Answer handle(const davit::Json&) const override {
    return davit::Answer::ignored(std::string(1, kName));
  }
};

class Agent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override { return {.name = "agent-a"}; }
  davit::AgentResult execute(const davit::AgentContext&, davit::Run&) override {
    return davit::AgentResult::ok("a");
  }
};

}  // namespace

DAVIT_REGISTER_WEBHOOK(Webhook<'a'>)
DAVIT_REGISTER_WEBHOOK(Webhook<'b'>)
DAVIT_REGISTER_AGENT(Agent)
