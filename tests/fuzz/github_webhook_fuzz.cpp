// GitHub's deliveries, with the settings as they are shipped and with everything switched on.
#include "tests/fuzz/webhook.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return davit::fuzz::check_webhook(
      davit::fuzz::as_text(data, size),
      {"{}",
       R"({"review_agent": "review", "ci_agent": "ci", "run_agents": ["other"], "approve_by": ["review", "merge"], "ci_events": ["check_suite"], "settle_seconds": 5,
                 "repositories": ["Codertocat/*", "MYORG/MYREPO"], "ignore_senders": ["1"]})"});
}
