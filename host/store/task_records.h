// What goes into the store, and comes out of it, of tasks and their executions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/model/agent_result.h"
#include "host/model/task.h"
#include "host/store/task_rules.h"
#include "host/store/transcript_pack.h"

namespace davit::store {

// How many more tasks of an agent may be claimed now, and for how long they are leased.
struct AgentCapacity {
  std::string agent;
  int free_slots = 0;
};
struct ClaimRequest {
  std::vector<AgentCapacity> agents;  // agents without an entry are not claimed
  int limit = 16;                     // over all agents
  Duration lease{45'000};
};

// What is new in the transcript of an execution.
struct TranscriptNews {
  std::vector<TranscriptPack> packs;  // oldest first; they take the place of all single lines so far
  std::vector<TranscriptLine> lines;  // behind the packs; without numbers
  // Packs that begin with a line from the first of these on and before the second are kept no longer.
  std::int64_t left_out_from = 0, left_out_to = 0;
};

// Which lines of a transcript: the newest, the newest of those before the line of a number, or the next behind one.
// With `after`, `before` is not looked at.
struct TranscriptPlace {
  std::optional<std::int64_t> after, before;
};

// The result of one execution, with everything that is committed in the same transaction.
struct Finish {
  Fence fence;
  AgentResult result;
  std::string
      outcome;  // for the execution row: "completed", "failed", "crashed", "timed_out", "cancelled", …
  // What the dispatcher decided, by its retry and chain policy. A task whose cancellation was asked for
  // meanwhile becomes Cancelled instead of Queued. FailureClass::Crash in `result` counts as a crash of the
  // task. AwaitingApproval goes with FailureClass::ApprovalRefused of an execution that ran on an approval,
  // else it is InvalidInput: that approval counts no more, and the wait that it ended goes on.
  TaskState next_state = TaskState::Completed;
  Duration retry_after{0};     // with Queued: run_at is now plus this
  bool attempt_counts = true;  // false: not begun, or interrupted by our own shutdown
  // Keeps the agent of this name from getting tasks for so long, because of `result.error`; 0: it does not. A
  // pause that somebody else began stays as it is.
  struct Hold {
    std::string agent;
    Duration time{0};
  } hold;
  bool cost_known = true;     // false: its process ended without saying what it had cost
  TranscriptNews transcript;  // the rest of it, all packed
  // Next task of the chain: gets `result.output` as previous_result, and actor, links, entity, further keys
  // and delivery of this one; an empty payload means this task's own. `result.tasks` are stored as children
  // likewise. Only with Completed, which is for ever: so what was before a task of a chain changes no more.
  std::optional<NewTask> successor;
  bool successor_awaits_approval = false;
};

// What became of renewed leases: who must stop because it lost its lease or somebody cancelled the task.
struct Renewal {
  std::vector<Fence> lost;
  std::vector<Fence> cancelled;
};

// What a running execution reports; the newest value of each field counts.
struct LiveReport {
  Fence fence;
  // Whose report it is, for those who are told of changes; empty: nobody is.
  std::string task_id = {}, session_id = {};
  std::optional<Usage> usage;
  std::optional<double> progress;
  std::string progress_message;
  TranscriptNews transcript;
};

// An artifact without its content, and whose it is.
struct ArtifactEntry {
  std::string session_id, agent_name;
  int attempt = 0;
  std::string name, content_type;
  std::int64_t bytes = 0;
  std::string sha256;  // in hex
};

// Any of these; none: whatever state.
class States : public std::vector<TaskState> {
 public:
  using std::vector<TaskState>::vector;
  States(TaskState only) : std::vector<TaskState>{only} {}
  States(std::optional<TaskState> only) {
    if (only) push_back(*only);
  }
};

// All of it has to hold.
struct TaskFilter {
  std::string agent, source, entity;
  std::string text;  // words of title, entity or error; see search_text.h
  std::string link;  // key of something its event mentions, or the address of what has no key
  States state;
  std::optional<WallTime> start, end;  // created_at in [start, end)
  int limit = 50;                      // 1 to 500
  std::string cursor;                  // of the page before; opaque
};
// What is known of a recurring task of the configuration.
struct ScheduleState {
  std::string name, agent;
  std::string cron;       // as it was configured
  WallTime last_slot{};   // the newest time that is done with; at first when it was adopted
  std::string last_task;  // id of its newest task; empty: none yet
};

struct QueueDepth {
  std::string agent;
  TaskState state = TaskState::Queued;
  std::int64_t count = 0;
};
struct QueueReport {
  std::vector<QueueDepth> depths;         // Queued, Running, AwaitingApproval, Parked
  std::optional<WallTime> oldest_queued;  // since when the longest waiting task has been due
  std::vector<std::pair<std::string, std::int64_t>> deferred;  // deliveries by webhook
  std::optional<WallTime> oldest_asked;  // since when the longest waiting approval has been asked for
  std::vector<Pause> pauses;             // that hold now; that of all first
  std::vector<BudgetLine> budgets;       // those with a limit
};

}  // namespace davit::store
