// Turns "order failed" events of a shop into tasks for an agent.
#include <davit/webhook.hpp>

class ShopWebhook : public davit::WebhookHandler {
 public:
  davit::WebhookMetadata metadata() const override {
    return {.name = "shop",
            .description = "Failed orders of the shop",
            .secret_env_var = "SHOP_WEBHOOK_SECRET",
            .delivery_id = {.header = "X-Shop-Delivery"},
            .signature = davit::Signature::hmac_sha256("X-Shop-Signature").prefix("sha256=").hex(),
            .sample = R"({"headers": {"X-Shop-Event": "order"}, "body": {"order": {"id": "A-17", "state": "failed"}}})"};
  }

  davit::Parsed parse_payload(const davit::Request& request) const override {
    if (request.header("X-Shop-Event") != "order") return davit::Ignored{"not about an order"};
    const davit::Json body = request.json();
    return davit::Json::object({{"order", body["order"]["id"].require_string("order.id")},
                                {"state", body["order"]["state"]},
                                {"reason", body["order"]["reason"].string_or("unknown")}});
  }

  davit::Decision should_process(const davit::Json& parsed) const override {
    if (parsed["state"] == "failed") return true;
    return davit::Decision::no("only failed orders need work");
  }

  davit::Answer handle(const davit::Json& parsed) const override {
    const std::string order(parsed["order"].string_or(""));
    return davit::Answer::queued("Looking into order " + order)
        .task({.agent = "order-agent", .title = "Order " + order + " failed", .payload = parsed})
        .about({.key = "order/" + order, .type = "order"});
  }
};

DAVIT_REGISTER_WEBHOOK(ShopWebhook)
