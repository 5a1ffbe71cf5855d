#include "host/dispatch/retry_policy.h"

#include <algorithm>
#include <cmath>

namespace davit::dispatch {
namespace {

Duration evenly(Duration most, std::mt19937_64& random) {
  if (most <= Duration::zero()) return Duration::zero();
  return Duration(std::uniform_int_distribution<Duration::rep>(0, most.count())(random));
}

Duration back_off(int step, Duration retry_after, const RetryOptions& options, std::mt19937_64& random) {
  if (retry_after > Duration::zero()) {
    // The other side named the time; the jitter only spreads those whom it told the same.
    return std::min(retry_after, options.longest_wait) + evenly(options.base, random);
  }
  double most = static_cast<double>(options.base.count()) * std::pow(options.factor, std::max(0, step - 1));
  return evenly(most < static_cast<double>(options.cap.count()) ? Duration(std::llround(most)) : options.cap,
                random);
}

}  // namespace

NextStep after_failure(const Failed& failed, const RetryOptions& options, std::mt19937_64& random) {
  switch (failed.failure) {
    case FailureClass::None:
    case FailureClass::Permanent:
      return {TaskState::Failed, Duration::zero(), true};
    case FailureClass::Cancelled:
      return {TaskState::Cancelled, Duration::zero(), true};
    case FailureClass::Interrupted:
      return {TaskState::Queued, failed.retry_after, false};
    case FailureClass::ApprovalRefused:
      return {TaskState::AwaitingApproval, Duration::zero(), false};
    case FailureClass::Crash: {
      int crashes = failed.crashes + 1;
      if (crashes >= failed.max_crashes) return {TaskState::Parked, Duration::zero(), false};
      return {TaskState::Queued, back_off(crashes, Duration::zero(), options, random), false};
    }
    case FailureClass::PutOff:
      return {TaskState::Queued, back_off(1, std::max(failed.retry_after, kNoAttempt), options, random), false};
    case FailureClass::RateLimited:
      if (failed.cost_nothing && failed.retry_after >= kNoAttempt)
        return {TaskState::Queued, back_off(failed.attempt, failed.retry_after, options, random), false};
      [[fallthrough]];
    case FailureClass::Retryable:
    case FailureClass::Deadline:
      if (failed.attempt > failed.max_retries) return {TaskState::Failed, Duration::zero(), true};
      return {TaskState::Queued, back_off(failed.attempt, failed.retry_after, options, random), true};
  }
  return {TaskState::Failed, Duration::zero(), true};
}

}  // namespace davit::dispatch
