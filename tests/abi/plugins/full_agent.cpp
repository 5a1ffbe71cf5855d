// Uses all that a host may offer.
#include <davit/agent.hpp>

namespace {

class FullAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "full-agent",
            .display_name = "Full Agent",
            .capabilities = {davit::AgentCapability::Planning, davit::AgentCapability::Review},
            .max_retries = 1,
            .timeout_seconds = 60,
            .requires_approval = true,
            .config_schema = R"({"type": "object"})"};
  }

  void configure(const davit::Json& config) override {
    greeting_ = config["greeting"].string_or("hello");
    host().info("configured", {{"greeting", greeting_}, {"now", davit::unix_ms(host().now())}});
  }

  davit::Decision pre_execute(const davit::AgentContext& context) override {
    if (context.attempt > 3) return davit::Decision::no("three attempts are enough");
    return true;
  }

  davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
    run.check_cancelled();
    if (context.task.payload["fail"].bool_or(false)) throw davit::Failure::retryable("asked to fail");
    run.progress(0.1, "start", "Beginning");
    run.usage({.input_tokens = 10, .output_tokens = 5, .cost_usd = 0.25, .model = "m"});
    run.transcript("assistant", greeting_);
    if (!context.task.payload["plain"].bool_or(false)) {
      run.artifact("plan.md", "text/markdown", "# Plan");
      const std::string before = run.read("count").value_or("0");
      run.write("count", std::to_string(std::stoi(before) + 1));
      run.write("other", "x");
      run.remove("other");
    }
    return davit::AgentResult::ok({{"greeting", greeting_},
                                   {"token", host().secret("TOKEN").value_or("none")},
                                   {"left", run.remaining() ? run.remaining()->count() : -1}})
        .with_usage({.input_tokens = 12, .models = {{"m", {.input_tokens = 12}}}})
        .metric("files", 3)
        .then("executor-agent", davit::Json::object({{"plan", 1}}))
        .after_approval()
        .add_task({.agent = "other", .priority = 2});
  }

  davit::AgentResult post_execute(const davit::AgentContext&, davit::AgentResult result) override {
    if (result.success) result.metric("seen", 1);
    return result;
  }

  std::optional<davit::AgentResult> on_error(const davit::AgentContext&,
                                             const davit::Failure& error) override {
    return davit::AgentResult::failed(std::string("on_error: ") + error.what(), davit::ErrorClass::Permanent);
  }

 private:
  std::string greeting_;
};

}  // namespace

DAVIT_REGISTER_AGENT(FullAgent)
