// Works on tasks; what it gives is its output.
#include <davit/agent.hpp>

class @CLASS@ : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "@NAME@",
            .display_name = "@TITLE@",
            .description = "Says how long a text is",
            .capabilities = {davit::AgentCapability::Analysis},
            .timeout_seconds = 60};
  }

  // In a process of its own. Look at the payload, report, end when asked to.
  davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
    const std::string_view text = context.task.payload["text"].require_string("text");
    run.progress(0.5, "counting", "Counting the bytes");
    run.check_cancelled();
    return davit::AgentResult::ok({{"id", context.task.payload["id"]}, {"bytes", text.size()}});
  }
};

DAVIT_REGISTER_AGENT(@CLASS@)
