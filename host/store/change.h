// What the store tells of its commits.
#pragma once

#include <optional>
#include <string>

#include "host/model/task.h"

namespace davit::store {

// Something that changed, told after its commit: for wake-ups, and for whoever watches.
struct Change {
  enum class Kind {
    TaskQueued,
    TaskChanged,    // with a session: that execution has begun
    ApprovalAsked,  // also a TaskChanged
    CancelRequested,
    ExecutionChanged,  // one that runs has said, spent or kept something, or the clock that it began by was set
    DeliveryStored,
    DeliveriesRefused,  // refusals were noted; no id
    HoldChanged,
    ReplyAsked  // the delivery's sender wants to hear of it
  };
  Kind kind = Kind::TaskChanged;
  std::string id;              // task or delivery
  std::string agent;           // of a task; with HoldChanged: who may have tasks again (empty: all)
  std::optional<Fence> fence;  // with CancelRequested
  // The task's, where it is known without asking; always with TaskQueued.
  std::optional<TaskState> state = std::nullopt;
  std::string session = {};  // of the execution; see TaskChanged and ExecutionChanged
};

}  // namespace davit::store
