#include "source_note/last_try.h"

#include <chrono>

namespace note {

using davit::Status;

namespace {

// plugin-sdk/ABI.md
constexpr std::chrono::seconds kNoAttempt{5};

}  // namespace

bool is_last_try(const davit::Failure& failure, const davit::AgentContext& context) {
  switch (failure.status()) {
    case Status::Cancelled:
    case Status::Deadline:
      return false;
    case Status::RateLimited:
      // As a rule no attempt; where it is one, the end of the chain is told by whoever hears of that.
      if (failure.retry_after() && *failure.retry_after() >= kNoAttempt) return false;
      [[fallthrough]];
    case Status::Retryable:
    case Status::Internal:
      return context.max_retries && context.attempt > *context.max_retries;
    default:
      return true;
  }
}

}  // namespace note
