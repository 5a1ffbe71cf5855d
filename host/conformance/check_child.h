// A child that runs one check, watched from outside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/conformance/check.h"
#include "host/isolation/process_tree.h"

namespace davit::conformance {

struct Finding {
  const Rule* rule = nullptr;
  std::string where;     // "webhook github"; empty: the library as a whole
  std::string sentence;  // what was seen
};

struct ChildOptions {
  std::string program;        // empty: this one
  Duration deadline{20'000};  // then the whole tree is killed
};

struct ChildOutcome {
  std::vector<Finding> findings;  // what the child found, and its death as one of `check.death`
  std::string hung;               // the call that did not come back; empty: none
  std::string avoided;            // the call before which it ended, since it is known to hang; empty: none
  bool is_cut_short = false;      // `until` came first; `hung` is then what it was doing
};

// Starts a child for `job`, waits for its end, but not longer than `until`, and ends what it left running. A
// death is told with signal and hook. An error means that the check could not be made at all. Blocks.
Result<ChildOutcome> run_child(const Check& check, const Job& job, const ChildOptions& options,
                               MonotonicTime until, isolation::KnownChildren& children);

}  // namespace davit::conformance
