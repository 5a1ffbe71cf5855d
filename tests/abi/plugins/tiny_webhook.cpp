// The smallest webhook that does something.
#include <davit/webhook.hpp>

namespace {

class TinyWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "tiny",
            .description = "Turns every event into a task",
            .delivery_id = {.header = "X-Tiny-Delivery"},
            .signature = davit::Signature::hmac_sha256("X-Tiny-Signature").prefix("sha256=").hex()};
  }

  davit::Decision should_process(const davit::Json& parsed) const override {
    if (parsed["skip"].bool_or(false)) return davit::Decision::no("skip is set");
    return true;
  }

  davit::Answer handle(const davit::Json& parsed) const override {
    return davit::Answer::queued("Tiny task queued")
        .task({.agent = "tiny-agent",
               .title = std::string(parsed["title"].string_or("untitled")),
               .payload = parsed});
  }
};

}  // namespace

DAVIT_REGISTER_WEBHOOK(TinyWebhook)
