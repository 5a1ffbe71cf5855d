// Who works on after an agent succeeded. Pure: reads a snapshot of the registry, changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/model/agent_result.h"
#include "host/model/task.h"
#include "host/plugin/registry.h"

namespace davit::dispatch {

struct ChainOptions {
  int max_depth = 14;  // agents in one chain, the first included
  int max_visits = 4;  // how often one agent may stand in a chain
};

// With a refusal there is nothing else: a result counts whole or not at all.
struct ChainStep {
  std::optional<NewTask> successor;
  bool awaits_approval = false;     // the successor starts only after a person agreed
  std::vector<NewTask> follow_ups;  // the tasks that the result asks for, as their agents demand
  std::string refusal;              // a sentence: why what the result asks for is not done
};

// The successor has the task's type, title and entity, and the result's next_input as payload (empty: the
// task's own). An agent that is known but does not serve at the moment (its library is missing, its
// configuration refused) is a legal successor: its task waits. A follow-up is one more link of the chain, so
// what is refused of a successor is refused of it.
ChainStep next_in_chain(const ClaimedTask& task, const AgentResult& result, const plugin::Snapshot& plugins,
                        const ChainOptions& options);

}  // namespace davit::dispatch
