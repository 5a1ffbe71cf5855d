#include "source_note/last_try.h"

namespace note {

using davit::Status;

bool is_last_try(const davit::Failure& failure, const davit::AgentContext& context) {
  switch (failure.status()) {
    case Status::Cancelled:
    case Status::Deadline:
      return false;
    case Status::Retryable:
    case Status::RateLimited:
    case Status::Internal:
      return context.max_retries && context.attempt > *context.max_retries;
    default:
      return true;
  }
}

}  // namespace note
