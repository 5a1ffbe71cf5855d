// Slack's requests, with the settings as they are shipped and with everything switched on.
#include "tests/fuzz/webhook.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return davit::fuzz::check_webhook(
      davit::fuzz::as_text(data, size),
      {"{}",
       R"({"direct_messages": true, "allow_external": true, "command_users": ["*"], "run_agents": ["other"],
                 "commands": ["/davit", "/weather"], "ignore_users": ["1"]})"});
}
