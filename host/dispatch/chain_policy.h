// Who works on a task after an agent succeeded. Pure: reads a snapshot of the registry, changes nothing.
#pragma once

#include <optional>
#include <string>

#include "host/model/agent_result.h"
#include "host/model/task.h"
#include "host/plugin/registry.h"

namespace davit::dispatch {

struct ChainOptions {
  int max_depth = 6;  // agents in one chain, the first included
};

// At most one of successor and refusal is there; neither means that the chain ends here.
struct ChainStep {
  std::optional<NewTask> successor;
  bool awaits_approval = false;  // the successor starts only after a person agreed
  std::string refusal;           // a sentence: why the agent that the result names does not get the task
};

// The successor has the task's type, title and entity, and the result's next_input as payload (empty: the
// task's own). An agent that is known but does not serve at the moment (its library is missing, its
// configuration refused) is a legal successor: its task waits.
ChainStep next_in_chain(const ClaimedTask& task, const AgentResult& result, const plugin::Snapshot& plugins,
                        const ChainOptions& options);

}  // namespace davit::dispatch
