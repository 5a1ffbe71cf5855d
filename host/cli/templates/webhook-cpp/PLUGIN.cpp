// Turns deliveries of @TITLE@ into tasks.
#include <davit/webhook.hpp>

class @CLASS@ : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "@NAME@",
            .description = "Deliveries of @TITLE@",
            .secret_env_var = "@VARIABLE@",
            .event_header = "@HEADER@-Event",
            .delivery_id = {.header = "@HEADER@-Delivery"},
            .max_body_bytes = 1'000'000,  // a task's payload may have 1 MiB
            // The host checks it: what the sender signs, and how it is written.
            .signature = davit::Signature::hmac_sha256("@HEADER@-Signature").prefix("sha256=").hex(),
            // What the dashboard offers as a test event.
            .sample = R"({"headers": {"@HEADER@-Event": "failed"}, "body": {"id": 1}})"};
  }

  // What is this about? Only what the next hooks need; here, the body.
  davit::Parsed parse_payload(const davit::Request& request) const override {
    if (request.header("@HEADER@-Event") != "failed") return davit::Ignored{"nothing failed"};
    return request.json();
  }

  // What shall happen? The host does it; this only says so.
  davit::Answer handle(const davit::Json& parsed) const override {
    return davit::Answer::queued("Looking into it")
        .task({.agent = "command-agent", .title = "Something failed", .payload = parsed});
  }
};

DAVIT_REGISTER_WEBHOOK(@CLASS@)
