// How an execution ended.
#pragma once

#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/model/event.h"
#include "host/model/task.h"

namespace davit {

// Why an execution did not succeed decides what happens to the task.
enum class FailureClass {
  None,
  Retryable,    // counts as an attempt, back-off, up to max_retries
  RateLimited,  // as Retryable, not before retry_after
  PutOff,       // not begun: no task of its agent before retry_after; does not count
  Permanent,    // no retry
  Cancelled,    // somebody asked for it
  Deadline,     // timed out and killed: counts as an attempt
  Crash,        // the runner died: counted apart, parked when it goes on
  Interrupted,  // our own shutdown: does not count
  ApprovalRefused,  // the approval that it ran on does not count: waits for another one, no attempt
};

std::string_view to_string(FailureClass failure);

struct AgentResult {
  bool success = false;
  FailureClass failure = FailureClass::None;
  std::string output = "null";  // JSON
  std::string error;
  Duration retry_after{0};
  Usage usage;
  std::string metrics = "{}";
  std::string next_agent;
  std::string next_input;  // JSON or empty: the task's own payload
  bool wait_for_approval = false;
  std::vector<std::string> also;  // keys of what its task and those that follow are about, beside the entity
  std::vector<NewTask> tasks;
};

}  // namespace davit
