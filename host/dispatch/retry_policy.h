// What becomes of a task whose execution did not succeed. Pure: no clock, no store; chance is handed in.
#pragma once

#include <random>

#include "host/base/clock.h"
#include "host/model/agent_result.h"
#include "host/model/task_state.h"

namespace davit::dispatch {

struct RetryOptions {
  Duration base{2'000};
  double factor = 3;
  Duration cap{30 * 60'000};
  Duration longest_wait{24 * 3'600'000};  // what an agent asks for beyond this is cut
};

struct Failed {
  FailureClass failure = FailureClass::Retryable;
  int attempt = 1;      // of this execution, the first is 1
  int max_retries = 0;  // attempts after the first
  int crashes = 0;      // executions before this one that took their runner down
  int max_crashes = 3;  // with so many the task is parked
  Duration retry_after{0};
  bool cost_nothing = false;  // no money, and no token of an answer
};

// Who is told to wait for so long, and has cost nothing yet, has not tried. What is put off waits no less, so
// that nobody is put off without end and without a pause.
inline constexpr Duration kNoAttempt{5'000};

struct NextStep {
  TaskState state = TaskState::Failed;
  Duration delay{0};           // with Queued: not before now plus this
  bool attempt_counts = true;  // false: the attempt is given back
};

// The waiting time before attempt number `attempt` + 1 is chosen evenly between 0 and min(cap, base *
// factor^(attempt - 1))
// ("full jitter": tasks that failed together do not come back together), and never ends before `retry_after`.
NextStep after_failure(const Failed& failed, const RetryOptions& options, std::mt19937_64& random);

}  // namespace davit::dispatch
