// Explains why an order failed.
#include <davit/agent.hpp>

class OrderAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "order-agent",
            .display_name = "Order Agent",
            .description = "Explains why an order failed",
            .capabilities = {davit::AgentCapability::Analysis},
            .timeout_seconds = 60};
  }

  void configure(const davit::Json& config) override { contact_ = config["contact"].string_or("nobody"); }

  davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
    const davit::JsonView order = context.task.payload;
    run.progress(0.5, "looking", "Looking at the order");
    run.check_cancelled();
    const std::string reason(order["reason"].string_or(""));
    if (reason.empty()) return davit::AgentResult::failed("no reason given", davit::ErrorClass::Permanent);
    run.transcript("assistant", "The reason is: " + reason);
    return davit::AgentResult::ok({{"order", order["order"]}, {"reason", reason}, {"tell", contact_}});
  }

 private:
  std::string contact_;
};

DAVIT_REGISTER_AGENT(OrderAgent)
