// An agent as it serves now, with what every execution of it needs: made once for each snapshot, not for each
// task.
#pragma once

#include <memory>
#include <string>

#include "host/isolation/runner_spec.h"
#include "host/plugin/registry.h"

namespace davit::dispatch {

// Immutable after construction. Work in flight keeps it, and with it the generation, alive.
struct ServingAgent {
  // `serving` has a generation.
  explicit ServingAgent(std::shared_ptr<const plugin::Agent> serving);

  std::shared_ptr<const plugin::Agent> agent;
  std::shared_ptr<const isolation::PreparedSpec> runner;
  const plugin::Redactor& redactor() const { return runner->redactor(); }
};

}  // namespace davit::dispatch
