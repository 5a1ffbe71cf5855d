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

// Starts a child for `job`, waits for its end and ends what it left running. What the child found, and its
// death as a finding of `check.death` that names signal and hook. An error means that the check could not be
// made at all. Blocks.
Result<std::vector<Finding>> run_child(const Check& check, const Job& job, const ChildOptions& options,
                                       isolation::KnownChildren& children);

}  // namespace davit::conformance
