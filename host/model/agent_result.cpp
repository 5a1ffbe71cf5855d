#include "host/model/agent_result.h"

namespace davit {

std::string_view to_string(FailureClass failure) {
  switch (failure) {
    case FailureClass::None:
      return "none";
    case FailureClass::Retryable:
      return "retryable";
    case FailureClass::RateLimited:
      return "rate_limited";
    case FailureClass::PutOff:
      return "put_off";
    case FailureClass::Permanent:
      return "permanent";
    case FailureClass::Cancelled:
      return "cancelled";
    case FailureClass::Deadline:
      return "deadline";
    case FailureClass::Crash:
      return "crash";
    case FailureClass::Interrupted:
      return "interrupted";
    case FailureClass::ApprovalRefused:
      return "approval_refused";
  }
  return "retryable";
}

}  // namespace davit
