// The smallest agent that does something.
#include <davit/agent.hpp>

namespace {

class TinyAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "tiny-agent",
            .display_name = "Tiny Agent",
            .description = "Repeats the title of its task",
            .capabilities = {davit::AgentCapability::Analysis}};
  }

  davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
    run.progress(0.5, "reading");
    return davit::AgentResult::ok({{"title", context.task.title}});
  }
};

}  // namespace

DAVIT_REGISTER_AGENT(TinyAgent)
