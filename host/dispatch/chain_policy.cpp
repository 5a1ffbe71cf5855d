#include "host/dispatch/chain_policy.h"

#include <algorithm>
#include <string>

namespace davit::dispatch {
namespace {

std::string joined(const std::vector<std::string>& chain, const std::string& last) {
  std::string text;
  for (const std::string& agent : chain) text += agent + ", ";
  return text + last;
}

// Why `next` may not work on after the task's agent. Empty: nothing speaks against it.
std::string objection(const ClaimedTask& task, const std::string& next, const plugin::Agent* agent,
                      const ChainOptions& options) {
  if (!agent) return "no such agent is installed or configured; see `davit plugins list`";
  if (agent->state == plugin::ServingState::Disabled)
    return "that agent is disabled; enable it with `davit plugins enable agent " + next +
           "` and retry the task";
  const auto visits = std::count(task.chain.begin(), task.chain.end(), next) + (next == task.agent ? 1 : 0);
  if (visits >= options.max_visits)
    return "it was there already (" + joined(task.chain, task.agent) + "); chain.max_visits is " +
           std::to_string(options.max_visits);
  if (task.chain_depth >= options.max_depth)
    return "the chain has " + std::to_string(task.chain_depth) + " agents already; chain.max_depth is " +
           std::to_string(options.max_depth);
  return {};
}

ChainStep refused(std::string why) {
  ChainStep step;
  step.refusal = std::move(why);
  return step;
}

}  // namespace

ChainStep next_in_chain(const ClaimedTask& task, const AgentResult& result, const plugin::Snapshot& plugins,
                        const ChainOptions& options) {
  ChainStep step;
  for (const NewTask& asked : result.tasks) {
    const std::shared_ptr<const plugin::Agent> agent = plugins.agent(asked.agent);
    if (std::string why = objection(task, asked.agent, agent.get(), options); !why.empty())
      return refused(task.agent + " asks for a task of " + asked.agent + ": " + why);
    NewTask& follow_up = step.follow_ups.emplace_back(asked);
    follow_up.max_retries = agent->max_retries;
    follow_up.awaits_approval = agent->requires_approval;
  }
  if (result.next_agent.empty()) {
    if (result.wait_for_approval)
      return refused(task.agent +
                     " asks for approval of nothing: wait_for_approval goes with a next_agent that waits");
    return step;
  }
  const auto names = [&](const std::string& why) {
    return refused(task.agent + " names " + result.next_agent + " as the next agent: " + why);
  };
  if (result.next_agent == task.agent)
    return names("an agent may not hand a task to itself; let it fail as retryable instead");
  const std::shared_ptr<const plugin::Agent> agent = plugins.agent(result.next_agent);
  if (const std::string why = objection(task, result.next_agent, agent.get(), options); !why.empty())
    return names(why);
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
