// One execution of an agent: what goes to the runner, what comes back, and what that means.
//
// Knows neither store nor pool: it makes the call that worker_pool starts, gathers what the runner reports
// while it works, and turns the end of the call into a result. Confined to the dispatcher's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/dispatch/serving_agent.h"
#include "host/dispatch/transcript.h"
#include "host/dispatch/workspaces.h"
#include "host/isolation/protocol.h"
#include "host/isolation/runner_pool.h"
#include "host/model/agent_result.h"
#include "host/model/artifact.h"
#include "host/model/task.h"
#include "host/plugin/marshal.h"
#include "host/store/store.h"

namespace davit::dispatch {

// Why we ended it before it ended by itself. A later reason never takes the place of an earlier one, but
// LeaseLost does.
enum class StopReason { None, CancelRequested, Interrupted, OverBudget, LeaseLost };

struct Ended {
  AgentResult result;
  // Of the execution row: completed, failed, crashed, timed_out, cancelled, interrupted, over_budget,
  // approval_refused, put_off.
  std::string outcome;
  bool cost_known = true;  // false: its process ended without an answer
};

// How much of what an execution leaves is kept.
struct KeepOptions {
  std::size_t transcript_bytes = 4u << 20;
  ArtifactLimits artifacts;
};

class Execution {
 public:
  Execution(ClaimedTask task, std::shared_ptr<const ServingAgent> serving, const KeepOptions& keep,
            const Clock& clock);

  const ClaimedTask& task() const { return task_; }
  const ServingAgent& serving() const { return *serving_; }
  MonotonicTime started_at() const { return started_; }

  // The call for the runner, without its callbacks.
  isolation::Call call(const plugin::ExecutionPlace& place, Duration cancel_grace,
                       std::string_view usage_file = {}) const;
  Workspace workspace;  // without path: none was made
  isolation::RunnerPool::CallId call_id = 0;

  // Takes in one live report of the runner, with its bytes. Usage only ever grows; secrets are taken out. A
  // report that cannot be read is dropped.
  enum class Heard { News, ArtifactWaits, ArtifactRefused };
  Heard hear(std::string_view report, std::string_view blob);
  // It has told what it used, so there is a file of it.
  bool has_told_usage() const { return told_usage_; }
  // It has cost more than it may.
  bool is_over_budget() const;
  // There is so much to store that it should not wait.
  bool should_report() const { return transcript_.should_go(); }
  // What was heard since the last time; nullopt if nothing.
  std::optional<store::LiveReport> take_report();
  // The store has taken a report with these packs of lines.
  void packs_stored(const std::vector<std::int64_t>& first_lines) { transcript_.stored(first_lines); }
  // For the end: the same without lines, and then all lines that the store is not known to have.
  std::optional<store::LiveReport> take_last_report();
  store::TranscriptNews take_transcript() { return transcript_.take_rest(clock_.wall()); }

  // The next artifact to store; none while one is on its way there.
  std::optional<Artifact> next_artifact();
  // What became of it.
  void artifact_stored(const Result<>& answer);
  bool has_artifacts() const { return !artifact_on_its_way_.empty() || !artifacts_.empty(); }

  void stop(StopReason reason);
  StopReason stop_reason() const { return stop_; }

  // What the end of the call means.
  Ended conclude(isolation::CallOutcome outcome) const;

 private:
  store::LiveReport empty_report() const;
  Heard hear_artifact(isolation::LiveReport report, std::string_view content);
  void say(std::string text);
  AgentResult failure(FailureClass failure, std::string error) const;
  std::string over_budget_text() const;
  Ended of_answer(AgentResult result) const;
  Ended without_answer(isolation::CallOutcome outcome) const;

  ClaimedTask task_;
  std::shared_ptr<const ServingAgent> serving_;
  const Clock& clock_;
  MonotonicTime started_;
  Usage usage_;                // all that was reported so far, merged
  store::LiveReport waiting_;  // without lines
  bool something_waits_ = false, told_usage_ = false;
  Transcript transcript_;
  ArtifactLimits artifact_limits_;
  ArtifactLedger artifact_ledger_;
  std::vector<Artifact> artifacts_;  // that wait; no two of a name
  std::string artifact_on_its_way_;  // its name
  StopReason stop_ = StopReason::None;
};

}  // namespace davit::dispatch
