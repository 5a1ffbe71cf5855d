// Jira's deliveries, with the settings as they are shipped and with everything switched on.
#include "tests/fuzz/webhook.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return davit::fuzz::check_webhook(
      davit::fuzz::as_text(data, size),
      {"{}", R"({"any_update": true, "allow_customers": true, "command_users": ["*"], "run_agents": ["other"],
                 "settle_seconds": 5, "projects": ["TES", "PRJA"], "ignore_users": ["1"]})"});
}
