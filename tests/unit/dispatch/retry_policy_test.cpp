#include "host/dispatch/retry_policy.h"

#include <gtest/gtest.h>

namespace davit::dispatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

NextStep next(Failed failed, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  return after_failure(failed, RetryOptions{}, random);
}

TEST(RetryPolicyTest, DecidesByTheClassOfTheFailure) {
  struct Row {
    FailureClass failure;
    int attempt;
    int crashes;
    TaskState state;
    bool counts;
  };
  using enum FailureClass;
  const Row rows[] = {
      {Retryable, 1, 0, TaskState::Queued, true},    {Retryable, 3, 0, TaskState::Queued, true},
      {Retryable, 4, 0, TaskState::Failed, true},    {RateLimited, 1, 0, TaskState::Queued, true},
      {RateLimited, 4, 0, TaskState::Failed, true},  {Deadline, 1, 0, TaskState::Queued, true},
      {Deadline, 4, 0, TaskState::Failed, true},     {Permanent, 1, 0, TaskState::Failed, true},
      {Cancelled, 1, 0, TaskState::Cancelled, true}, {Crash, 1, 0, TaskState::Queued, false},
      {Crash, 4, 1, TaskState::Queued, false},       {Crash, 1, 2, TaskState::Parked, false},
      {Interrupted, 1, 0, TaskState::Queued, false}, {Interrupted, 4, 2, TaskState::Queued, false},
      {None, 1, 0, TaskState::Failed, true},
      {ApprovalRefused, 1, 0, TaskState::AwaitingApproval, false},
      {ApprovalRefused, 4, 2, TaskState::AwaitingApproval, false},
      {PutOff, 1, 0, TaskState::Queued, false},      {PutOff, 4, 2, TaskState::Queued, false},
  };
  for (const Row& row : rows) {
    NextStep step =
        next({.failure = row.failure, .attempt = row.attempt, .max_retries = 3, .crashes = row.crashes});
    EXPECT_EQ(step.state, row.state) << to_string(row.failure) << " attempt " << row.attempt;
    EXPECT_EQ(step.attempt_counts, row.counts) << to_string(row.failure) << " attempt " << row.attempt;
  }
}

TEST(RetryPolicyTest, AnAgentMayHaveMoreOrFewerCrashesThanUsual) {
  const auto after = [](int crashes, int max_crashes) {
    return next({.failure = FailureClass::Crash, .crashes = crashes, .max_crashes = max_crashes}).state;
  };
  EXPECT_EQ(after(0, 1), TaskState::Parked);
  EXPECT_EQ(after(3, 5), TaskState::Queued);
  EXPECT_EQ(after(4, 5), TaskState::Parked);
}

TEST(RetryPolicyTest, NoRetriesMeansThatTheFirstFailureIsTheLast) {
  EXPECT_EQ(next({.failure = FailureClass::Retryable, .attempt = 1, .max_retries = 0}).state,
            TaskState::Failed);
}

TEST(RetryPolicyTest, WaitsBetweenNothingAndTwoSecondsTimesThreeForEachAttempt) {
  const Duration most[] = {seconds(2), seconds(6), seconds(18), seconds(54)};
  for (int attempt = 1; attempt <= 4; ++attempt) {
    Duration shortest = hours(1), longest{0};
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
      Duration delay =
          next({.failure = FailureClass::Retryable, .attempt = attempt, .max_retries = 9}, seed).delay;
      shortest = std::min(shortest, delay);
      longest = std::max(longest, delay);
    }
    EXPECT_LE(longest, most[attempt - 1]);
    EXPECT_GT(longest, most[attempt - 1] * 9 / 10) << "the jitter is full";
    EXPECT_LT(shortest, most[attempt - 1] / 10) << "the jitter is full";
  }
}

TEST(RetryPolicyTest, NeverWaitsLongerThanHalfAnHour) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    EXPECT_LE(next({.failure = FailureClass::Retryable, .attempt = 500, .max_retries = 1000}, seed).delay,
              minutes(30));
}

TEST(RetryPolicyTest, NeverComesBackBeforeTheTimeThatTheOtherSideNamed) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Duration delay = next({.failure = FailureClass::RateLimited,
                           .attempt = 1,
                           .max_retries = 3,
                           .retry_after = minutes(45)},
                          seed)
                         .delay;
    EXPECT_GE(delay, minutes(45));
    EXPECT_LE(delay, minutes(45) + seconds(2));
  }
}

TEST(RetryPolicyTest, WhoIsToldToWaitAndHasCostNothingHasNotTried) {
  Failed failed{.failure = FailureClass::RateLimited,
                .attempt = 4,
                .max_retries = 3,
                .retry_after = kNoAttempt,
                .cost_nothing = true};
  EXPECT_EQ(next(failed).state, TaskState::Queued);
  EXPECT_FALSE(next(failed).attempt_counts);
  EXPECT_GE(next(failed).delay, kNoAttempt);
  failed.retry_after = kNoAttempt - Duration(1);
  EXPECT_EQ(next(failed).state, TaskState::Failed) << "who names no time worth waiting for may go on for ever";
  failed.retry_after = kNoAttempt;
  failed.cost_nothing = false;
  EXPECT_EQ(next(failed).state, TaskState::Failed) << "what costs something is bounded";
  failed.cost_nothing = true;
  failed.failure = FailureClass::Retryable;
  EXPECT_EQ(next(failed).state, TaskState::Failed);
}

TEST(RetryPolicyTest, WhatIsPutOffWaitsAWhileWhateverTheAgentSays) {
  EXPECT_GE(next({.failure = FailureClass::PutOff, .retry_after = Duration(1)}).delay, kNoAttempt);
  EXPECT_GE(next({.failure = FailureClass::PutOff, .retry_after = minutes(3)}).delay, minutes(3));
  EXPECT_LE(next({.failure = FailureClass::PutOff, .retry_after = hours(100)}).delay, hours(24) + seconds(2));
}

TEST(RetryPolicyTest, CutsAnAbsurdWaitingTime) {
  Failed failed{
      .failure = FailureClass::RateLimited, .attempt = 1, .max_retries = 3, .retry_after = Duration::max()};
  EXPECT_LE(next(failed).delay, hours(24) + seconds(2));
}

TEST(RetryPolicyTest, TheSameSeedGivesTheSameDelays) {
  Failed failed{.failure = FailureClass::Retryable, .attempt = 3, .max_retries = 9};
  EXPECT_EQ(next(failed, 7).delay, next(failed, 7).delay);
  EXPECT_NE(next(failed, 7).delay, next(failed, 8).delay);
}

TEST(RetryPolicyTest, AnInterruptedTaskComesBackAtOnceUnlessAskedOtherwise) {
  EXPECT_EQ(next({.failure = FailureClass::Interrupted}).delay, Duration::zero());
  EXPECT_EQ(next({.failure = FailureClass::Interrupted, .retry_after = seconds(10)}).delay, seconds(10));
}

}  // namespace
}  // namespace davit::dispatch
