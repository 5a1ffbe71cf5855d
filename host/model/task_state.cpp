#include "host/model/task_state.h"

namespace davit {

std::string_view to_string(TaskState state) {
  switch (state) {
    case TaskState::Queued:
      return "queued";
    case TaskState::Running:
      return "running";
    case TaskState::AwaitingApproval:
      return "awaiting_approval";
    case TaskState::Completed:
      return "completed";
    case TaskState::Failed:
      return "failed";
    case TaskState::Cancelled:
      return "cancelled";
    case TaskState::Parked:
      return "parked";
  }
  return "queued";
}

std::optional<TaskState> task_state_from(std::string_view text) {
  for (TaskState state : kTaskStates) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

bool may_move(TaskState from, TaskState to) {
  using enum TaskState;
  switch (from) {
    case Queued:
      return to == Running || to == Cancelled || to == Parked || to == AwaitingApproval;
    case Running:
      return to == Completed || to == Failed || to == Cancelled || to == Queued || to == AwaitingApproval ||
             to == Parked;
    case AwaitingApproval:
      return to == Queued || to == Cancelled || to == Parked;
    case Parked:
      return to == Queued || to == AwaitingApproval || to == Cancelled;
    case Failed:
    case Cancelled:
      return to == Queued || to == AwaitingApproval;
    case Completed:
      return false;
  }
  return false;
}

}  // namespace davit
