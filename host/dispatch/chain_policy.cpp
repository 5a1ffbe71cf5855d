#include "host/dispatch/chain_policy.h"

#include <string>

namespace davit::dispatch {
namespace {

// Empty: nothing speaks against it.
std::string objection(const ClaimedTask& task, const std::string& next, const plugin::Agent* agent,
                      const ChainOptions& options) {
  if (next == task.agent) return "an agent may not hand a task to itself; let it fail as retryable instead";
  if (!agent) return "no such agent is installed or configured; see `davit plugins list`";
  if (agent->state == plugin::ServingState::Disabled)
    return "that agent is disabled; enable it with `davit plugins enable " + next + "` and retry the task";
  if (task.chain_depth >= options.max_depth)
    return "the chain has " + std::to_string(task.chain_depth) + " agents already; chain.max_depth is " +
           std::to_string(options.max_depth);
  return {};
}

}  // namespace

ChainStep next_in_chain(const ClaimedTask& task, const AgentResult& result, const plugin::Snapshot& plugins,
                        const ChainOptions& options) {
  ChainStep step;
  if (result.next_agent.empty()) return step;
  std::shared_ptr<const plugin::Agent> agent = plugins.agent(result.next_agent);
  if (std::string why = objection(task, result.next_agent, agent.get(), options); !why.empty()) {
    step.refusal = task.agent + " names " + result.next_agent + " as the next agent: " + why;
    return step;
  }
  NewTask next;
  next.agent = result.next_agent;
  next.task_type = task.task_type;
  next.title = task.title;
  next.payload = result.next_input;
  next.entity = task.entity;
  next.max_retries = agent->max_retries;
  step.successor = std::move(next);
  step.awaits_approval = result.wait_for_approval || agent->requires_approval;
  return step;
}

}  // namespace davit::dispatch
