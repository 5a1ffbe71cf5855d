// Tasks and executions as they are stored and shown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/model/event.h"
#include "host/model/task_state.h"

namespace davit {

// Tokens and money of one execution; totals, never differences. Money is in millionths of a US dollar so that
// sums agree.
struct ModelUsage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cache_read_tokens = 0;
  std::int64_t cache_write_tokens = 0;
  std::int64_t cost_micro_usd = 0;
  std::int64_t total_tokens() const {
    return input_tokens + output_tokens + cache_read_tokens + cache_write_tokens;
  }
};

inline void add(ModelUsage& to, const ModelUsage& more) {
  to.input_tokens += more.input_tokens;
  to.output_tokens += more.output_tokens;
  to.cache_read_tokens += more.cache_read_tokens;
  to.cache_write_tokens += more.cache_write_tokens;
  to.cost_micro_usd += more.cost_micro_usd;
}

struct Usage : ModelUsage {
  std::string model;                         // the main one
  std::map<std::string, ModelUsage> models;  // by model, where known
  bool cost_is_estimate = false;             // money may be more or less than what is charged
};

// Whether `now` knows the costs that `before` estimates: they take the place of those, even if they are less.
// 0 says nothing.
inline bool replaces_estimate(const Usage& before, const Usage& now) {
  return before.cost_is_estimate && !now.cost_is_estimate && now.cost_micro_usd > 0;
}

// One run of an agent for a task: one session, one attempt.
struct AgentExecution {
  std::string session_id;
  std::string agent_name;
  int attempt = 1;
  WallTime started_at{};
  std::optional<WallTime> completed_at;
  bool success = false;
  std::string outcome;  // "running", "completed", "failed", "crashed", "timed_out", "cancelled", "lost"
  std::string failure;  // class of the failure, as of FailureClass; empty if it has none
  std::string error;
  Usage usage;
  std::string output = "null";  // JSON
  std::string next_agent;
  double progress = -1;  // 0 to 1 while it runs, negative if unknown
  std::string progress_message;
};

// What lists show.
struct TaskSummary {
  std::string task_id;
  TaskState state = TaskState::Queued;
  std::string source;  // webhook instance, "api", "cli" or "chain"
  std::string agent;   // the one that has it now, or had it last
  std::string task_type;
  std::string title;
  std::string entity;
  int priority = 0;
  int attempt = 0;  // attempts begun
  int max_retries = 0;
  int crashes = 0;          // how often its runner died; not attempts
  int losses = 0;           // how often its host ended or stood still under it; neither attempts nor crashes
  std::string error;        // of the last failure
  std::string hold_reason;  // why it waits, or is parked
  std::optional<WallTime> resume_at;  // until when, if that is known
  WallTime created_at{};
  WallTime updated_at{};
  WallTime run_at{};
  std::optional<WallTime> finished_at;
  std::string current_session_id;
  std::string parent_id;  // predecessor in the chain
  std::string root_id;    // first of the chain
  int chain_depth = 1;
  std::int64_t total_cost_micro_usd = 0;
  std::int64_t total_tokens = 0;
};

// A task of a chain, as those beside it are shown.
struct ChainLink {
  std::string task_id, parent_id, agent;
  TaskState state = TaskState::Queued;
  bool needs_approval = false;  // it runs, or ran, only after a person had approved it
  int depth = 1;
  WallTime created_at{};
  std::optional<WallTime> finished_at;
  std::int64_t cost_micro_usd = 0;
  std::int64_t tokens = 0;
};

// All tasks that came of one, that one included.
struct Chain {
  std::vector<std::string> agents;  // on the way to the task that is shown, its own last
  std::vector<ChainLink> tasks;     // oldest first, of a very large chain the oldest only
  std::int64_t task_count = 0;      // of all of them, as are the next two
  std::int64_t cost_micro_usd = 0;
  std::int64_t tokens = 0;
};

// What a person, or a rule in the place of one, has decided about a task.
struct TaskDecision {
  WallTime at{};
  // "approve", "reject", "retry", "cancel"; "changed": what was approved has changed; "refused": an agent found
  // that the approval before it does not count, of which by, actor_id, way and content_hash are.
  std::string kind;
  std::string by;        // "admin", "github:alice"
  std::string actor_id;  // the sender's own id, may be empty
  std::string way;       // "api", "cli", or the webhook it came by and how: "github comment"
  std::string comment;   // what was said, or why
  std::string content_hash;
};

// The newest approval before what is shown: of another content of the same task, or of another task of its agent in
// its chain or about the same thing.
struct ApprovedBefore {
  std::string task_id;
  TaskDecision decision;
  // Is what was approved still what that task is given, so that it can be compared? An approval keeps its hash alone.
  bool is_kept = false;
};

// A task that waits for a person.
struct AwaitedApproval {
  std::string content_hash;  // of what would run; who approves names it
  WallTime asked_at{};
  std::optional<WallTime> deadline;  // then nobody is waited for any more
  std::optional<WallTime> next_at;   // of the next reminder, or the deadline
  int reminders = 0;                 // that were sent
};

struct TaskDetail {
  TaskSummary task;
  std::string payload = "{}";
  std::string previous_result = "null";
  std::string result = "null";
  std::optional<Actor> actor;
  std::vector<Link> links;
  std::vector<std::string> also;  // keys of what else it is about, as agents said
  std::string delivery_id;
  std::vector<AgentExecution> executions;
  Chain chain;
  std::vector<TaskDecision> decisions;  // oldest first
  std::optional<AwaitedApproval> approval;
  std::optional<ApprovedBefore> approved_before;  // of what waits for a person, or one has decided about
  int rework = 0;  // how often its chain was sent back by a reject
};

// Names one attempt. Every write about a running task carries it; the store refuses what a superseded attempt
// says.
struct Fence {
  std::int64_t task_row = 0;
  std::int64_t number = 0;
  friend bool operator==(const Fence&, const Fence&) = default;
};

// A task leased to this host. Only store::Store makes one from a row.
struct ClaimedTask {
  Fence fence;
  std::string task_id;
  std::string root_id;     // first of its chain, maybe itself
  std::string session_id;  // UUID of this attempt
  std::string agent;
  std::string task_type;
  std::string source;
  std::string title;
  std::string entity;
  std::string payload;
  std::string previous_result;
  std::optional<Actor> actor;
  std::vector<Link> links;
  int attempt = 1;
  int max_retries = 0;
  int crashes = 0;  // how often its runner died before
  int chain_depth = 1;
  std::vector<std::string> chain;        // agents before it in its chain, the first one first
  std::optional<TaskDecision> approval;  // without which it would not run; absent: it needs none
  // All that this execution may cost, in millionths of a US dollar; absent: nothing bounds it.
  std::optional<std::int64_t> budget_micro_usd;
  WallTime created_at{};
};

}  // namespace davit
