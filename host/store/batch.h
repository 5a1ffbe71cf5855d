#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/model/stats.h"
#include "host/store/store.h"

namespace davit::store {

// How the work of a chain stops where nobody goes on by himself, in words.
inline constexpr std::string_view kStoppedFailed = "failed";
inline constexpr std::string_view kStoppedCancelled = "cancelled";
inline constexpr std::string_view kStoppedRejected = "rejected";
inline constexpr std::string_view kStoppedAtDeadline = "deadline";  // nobody approved it in time
inline constexpr std::string_view kStoppedParked = "parked";        // but not by a quarantine, which ends

// A task with which a chain has stopped.
struct Stopped {
  std::int64_t row = 0;
  std::string_view how;  // one of these
  std::string reason;    // a sentence
  bool ran = false;      // it ended an execution
};

// The moment of a transaction and what is to be told after its commit.
struct Batch {
  WallTime now{};
  MonotonicTime monotonic{};
  std::vector<Change> changes;
  struct Decided {
    std::string_view kind, way;  // of static duration
  };
  std::vector<Decided> decided;  // about approvals
  std::vector<EndedExecution> ended;
  std::vector<Stopped> stopped;  // and not told of yet; see chain_ends.h
};

}  // namespace davit::store
