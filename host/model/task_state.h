// The states of a task and the moves between them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace davit {

enum class TaskState {
  Queued,            // waits for a worker (also with a later run_at, or held back by budget or pause)
  Running,           // leased to a worker
  AwaitingApproval,  // waits for a person
  Completed,         // final
  Failed,            // final: the dead letter; retry by hand makes it queued again
  Cancelled,         // final; also rejected
  Parked,            // kept aside: its plugin is quarantined, or it killed its runner too often
};

inline constexpr std::array kTaskStates{TaskState::Queued,    TaskState::Running, TaskState::AwaitingApproval,
                                        TaskState::Completed, TaskState::Failed,  TaskState::Cancelled,
                                        TaskState::Parked};

std::string_view to_string(TaskState state);  // "awaiting_approval"
std::optional<TaskState> task_state_from(std::string_view text);

// The one table of legal moves; what is not in it is refused by the store.
bool may_move(TaskState from, TaskState to);

inline bool is_final(TaskState state) {
  return state == TaskState::Completed || state == TaskState::Failed || state == TaskState::Cancelled;
}

}  // namespace davit
