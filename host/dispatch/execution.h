// One execution of an agent: what goes to the runner, what comes back, and what that means.
//
// Knows neither store nor pool: it makes the call that worker_pool starts, gathers what the runner reports
// while it works, and turns the end of the call into a result. Confined to the dispatcher's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"
#include "host/dispatch/serving_agent.h"
#include "host/dispatch/workspaces.h"
#include "host/isolation/runner_pool.h"
#include "host/model/agent_result.h"
#include "host/model/task.h"
#include "host/store/store.h"

namespace davit::dispatch {

// Why we ended it before it ended by itself. A later reason never takes the place of an earlier one, but
// LeaseLost does.
enum class StopReason { None, CancelRequested, Interrupted, OverBudget, LeaseLost };

struct Ended {
  AgentResult result;
  // Of the execution row: completed, failed, crashed, timed_out, cancelled, interrupted, over_budget.
  std::string outcome;
  bool cost_known = true;  // false: its process ended without an answer
};

class Execution {
 public:
  Execution(ClaimedTask task, std::shared_ptr<const ServingAgent> serving, const Clock& clock);

  const ClaimedTask& task() const { return task_; }
  const ServingAgent& serving() const { return *serving_; }
  MonotonicTime started_at() const { return started_; }

  // The call for the runner, without its callbacks.
  isolation::Call call(std::string_view workspace, Duration cancel_grace) const;
  Workspace workspace;  // without path: none was made
  isolation::RunnerPool::CallId call_id = 0;

  // Takes in one live report of the runner. Usage only ever grows; secrets are taken out. A report that
  // cannot be read is dropped.
  void hear(std::string_view report);
  // It has cost more than it may.
  bool is_over_budget() const;
  // How many bytes of reports wait.
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  // What was heard since the last time; nullopt if nothing.
  std::optional<store::LiveReport> take_report();

  void stop(StopReason reason);
  StopReason stop_reason() const { return stop_; }

  // What the end of the call means.
  Ended conclude(isolation::CallOutcome outcome) const;

 private:
  AgentResult failure(FailureClass failure, std::string error) const;
  std::string over_budget_text() const;
  Ended of_answer(AgentResult result) const;
  Ended without_answer(isolation::CallOutcome outcome) const;

  ClaimedTask task_;
  std::shared_ptr<const ServingAgent> serving_;
  const Clock& clock_;
  MonotonicTime started_;
  Usage usage_;  // the largest figures reported so far
  store::LiveReport waiting_;
  bool something_waits_ = false;
  std::size_t waiting_bytes_ = 0;
  std::size_t dropped_lines_ = 0;
  StopReason stop_ = StopReason::None;
};

}  // namespace davit::dispatch
