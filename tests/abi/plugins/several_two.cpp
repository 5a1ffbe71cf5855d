#include <davit/agent.hpp>
#include <davit/webhook.hpp>

namespace second {

class Webhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override { return {.name = "webhook-c"}; }
  davit::Answer handle(const davit::Json&) const override { return davit::Answer::ignored("c"); }
};

class Agent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override { return {.name = "agent-b"}; }
  davit::AgentResult execute(const davit::AgentContext&, davit::Run&) override {
    return davit::AgentResult::ok("b");
  }
};

DAVIT_REGISTER_AGENT(Agent)

}  // namespace second

DAVIT_REGISTER_WEBHOOK(second::Webhook)
