// A webhook that the operator configures: invoices over a limit become tasks for an agent of the operator's
// choice.
#include <davit/webhook.hpp>

class InvoiceWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "invoices",
            .description = "Invoices over a limit",
            .secret_env_var = "INVOICES_WEBHOOK_SECRET",
            .delivery_id = {.header = "X-Invoice-Delivery"},
            .signature = davit::Signature::hmac_sha256("X-Invoice-Signature").hex(),
            // The host refuses what does not fit before configure() is called.
            .config_schema = R"({
              "type": "object",
              "properties": {
                "limit": {"type": "integer", "minimum": 0, "description": "Invoices over this amount get a task."},
                "agent": {"type": "string", "minLength": 1, "description": "The agent that gets them."},
                "ignore": {"type": "array", "items": {"type": "string"}, "description": "Customers to leave alone."}
              },
              "required": ["limit"],
              "additionalProperties": false
            })"};
  }

  void configure(const davit::Json& config) override {
    limit_ = config["limit"].require_int("limit");
    agent_ = config["agent"].string_or("command-agent");
    ignored_ = config["ignore"];
    // What a schema cannot say.
    if (ignored_.contains("*")) throw davit::Failure::invalid_input("ignore names customers; \"*\" is none");
  }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    const davit::Json body = request.json();
    return davit::Json::object({{"invoice", body["invoice"]["number"].require_string("invoice.number")},
                                {"customer", body["invoice"]["customer"].string_or("")},
                                {"amount", body["invoice"]["amount"].require_int("invoice.amount")}});
  }

  davit::Decision should_process(const davit::Json& parsed) const override {
    if (ignored_.contains(parsed["customer"].string_or("")))
      return davit::Decision::no("the customer is to be left alone");
    if (parsed["amount"].int_or(0) <= limit_) return davit::Decision::no("not over the limit");
    return true;
  }

  davit::Answer handle(const davit::Json& parsed) const override {
    const std::string number(parsed["invoice"].string_or(""));
    return davit::Answer::queued("Looking at invoice " + number)
        .task({.agent = agent_, .title = "Invoice " + number, .payload = parsed})
        .about({.key = "invoice/" + number, .type = "invoice"});
  }

 private:
  std::int64_t limit_ = 0;
  std::string agent_;
  davit::Json ignored_;
};

DAVIT_REGISTER_WEBHOOK(InvoiceWebhook)
