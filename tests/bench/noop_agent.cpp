// An agent that does nothing, to measure all that is around it. DAVIT_BENCH_AGENT is its name.
#include <davit/agent.hpp>

class NoopAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = DAVIT_BENCH_AGENT,
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
