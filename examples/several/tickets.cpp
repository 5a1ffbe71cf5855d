// One half of a library that offers two webhooks and two agents: tickets of a help desk.
#include <davit/agent.hpp>
#include <davit/webhook.hpp>

namespace {

class TicketWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "desk-tickets",
            .description = "Tickets of the help desk",
            .secret_env_var = "DESK_WEBHOOK_SECRET",
            .delivery_id = {.pointer = "/id"},
            .max_body_bytes = 1'000'000,  // a task's payload may have 1 MiB
            .signature = davit::Signature::hmac_sha256("X-Desk-Signature").hex()};
  }

  davit::Answer handle(const davit::Json& parsed) const override {
    const std::string id(parsed["id"].require_string("id"));
    return davit::Answer::queued("Sorting ticket " + id)
        .task({.agent = "desk-sorter", .title = "Ticket " + id, .payload = parsed})
        .about({.key = "ticket/" + id, .type = "ticket"});
  }
};

// Hands the ticket on to the agent of the other file.
class Sorter : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "desk-sorter",
            .display_name = "Sorter",
            .description = "Says which drawer a ticket belongs into",
            .capabilities = {davit::AgentCapability::Planning},
            .timeout_seconds = 60};
  }

  davit::AgentResult execute(const davit::AgentContext& context, davit::Run&) override {
    const std::string_view text = context.task.payload["text"].string_or("");
    const bool urgent = text.find("down") != std::string_view::npos;
    return davit::AgentResult::ok({{"drawer", urgent ? "urgent" : "later"}}).then("desk-answerer");
  }
};

}  // namespace

DAVIT_REGISTER_WEBHOOK(TicketWebhook)
DAVIT_REGISTER_AGENT(Sorter)
