// Sentry's deliveries, with the settings as they are shipped and with everything switched on.
#include "tests/fuzz/webhook.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return davit::fuzz::check_webhook(
      davit::fuzz::as_text(data, size),
      {"{}",
       R"({"errors": true, "metric_alert_agent": "ci", "levels": [], "categories": [], "settle_seconds": 5,
                 "issue_actions": ["created", "unresolved"], "environments": ["production"], "organization": "acme"})"});
}
