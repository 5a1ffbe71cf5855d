#pragma once

#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/model/stats.h"
#include "host/store/store.h"

namespace davit::store {

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
};

}  // namespace davit::store
