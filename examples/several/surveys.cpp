// The other half: surveys, and the agent that answers.
#include <davit/agent.hpp>
#include <davit/webhook.hpp>

namespace {

class SurveyWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "desk-surveys",
            .description = "What customers say about the help desk",
            .secret_env_var = "DESK_WEBHOOK_SECRET",
            .delivery_id = {.pointer = "/id"},
            .max_body_bytes = 1'000'000,  // a task's payload may have 1 MiB
            .signature = davit::Signature::hmac_sha256("X-Desk-Signature").hex()};
  }

  davit::Decision should_process(const davit::Json& parsed) const override {
    if (parsed["stars"].int_or(5) <= 2) return true;
    return davit::Decision::no("the customer is content");
  }

  davit::Answer handle(const davit::Json& parsed) const override {
    return davit::Answer::queued("Answering")
        .task({.agent = "desk-answerer", .title = "A bad survey", .payload = parsed});
  }
};

class Answerer : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "desk-answerer",
            .display_name = "Answerer",
            .description = "Drafts an answer to a customer",
            .capabilities = {davit::AgentCapability::Execution},
            .timeout_seconds = 60};
  }

  davit::AgentResult execute(const davit::AgentContext& context, davit::Run& run) override {
    const std::string drawer(context.previous_result["drawer"].string_or("survey"));
    run.transcript("assistant", "Drafting for the drawer " + drawer);
    return davit::AgentResult::ok({{"draft", "Dear customer, we look into it (" + drawer + ")."}});
  }
};

}  // namespace

DAVIT_REGISTER_WEBHOOK(SurveyWebhook)
DAVIT_REGISTER_AGENT(Answerer)
