// An agent that does nothing, to measure all that is around it.
#include <davit/agent.hpp>

extern const char noop_name[];  // each library that has this agent gives it another

class NoopAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = noop_name,
            .display_name = "Noop",
            .description = "Does nothing",
            .capabilities = {davit::AgentCapability::Analysis},
            .timeout_seconds = 60};
  }
  davit::AgentResult execute(const davit::AgentContext&, davit::Run&) override {
    return davit::AgentResult::ok({{"done", true}});
  }
};

DAVIT_REGISTER_AGENT(NoopAgent)
