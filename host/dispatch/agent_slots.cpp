#include "host/dispatch/agent_slots.h"

#include <algorithm>

namespace davit::dispatch {

void AgentSlots::adopt(const plugin::Snapshot& snapshot) {
  for (auto& [name, slots] : slots_) {
    auto agent = snapshot.agent(name);
    bool unchanged = slots.serving && slots.serving->agent == agent;
    if (!unchanged) slots.serving = nullptr;
  }
  for (const auto& [name, agent] : snapshot.agents) {
    Slots& slots = slots_[name];
    if (agent->state != plugin::ServingState::Serving || !agent->generation) {
      slots.serving = nullptr;
      continue;
    }
    if (!slots.serving) slots.serving = std::make_shared<const ServingAgent>(agent);
    slots.may_have_tasks = true;
  }
  std::erase_if(slots_, [](const auto& entry) { return !entry.second.needed(); });
}

bool AgentSlots::needs(const isolation::RunnerSpec& runner) const {
  auto found = slots_.find(runner.name);
  if (found == slots_.end() || !found->second.serving) return false;
  return isolation::PreparedSpec::make(runner)->key() == found->second.serving->runner->key();
}

void AgentSlots::expect_tasks() {
  for (auto& [name, slots] : slots_) slots.may_have_tasks = true;
}

bool AgentSlots::expects_tasks() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& entry) { return entry.second.serving && entry.second.may_have_tasks; });
}

AgentSlots::Claim AgentSlots::next_claim(int most) const {
  Claim claim;
  if (most <= 0) return claim;
  int wanted = 0;
  for (const auto& [name, slots] : slots_) {
    if (!slots.may_have_tasks || slots.free() <= 0) continue;
    claim.request.agents.push_back({name, slots.free()});
    claim.serving.emplace(name, slots.serving);
    wanted += slots.free();
  }
  claim.request.limit = std::min(most, wanted);
  return claim;
}

void AgentSlots::asked(const store::ClaimRequest& request) {
  for (const store::AgentCapacity& agent : request.agents) slots_[agent.agent].asked += agent.free_slots;
}

void AgentSlots::answered(const store::ClaimRequest& request) {
  for (const store::AgentCapacity& agent : request.agents) {
    auto found = slots_.find(agent.agent);
    found->second.asked -= agent.free_slots;
    if (!found->second.needed()) slots_.erase(found);
  }
}

void AgentSlots::claimed(const store::ClaimRequest& request, const std::vector<ClaimedTask>& tasks) {
  // A claim that gave all it was asked for says nothing about what is left.
  if (static_cast<int>(tasks.size()) >= request.limit) return;
  for (const store::AgentCapacity& asked : request.agents) {
    auto given = std::count_if(tasks.begin(), tasks.end(),
                               [&](const auto& task) { return task.agent == asked.agent; });
    auto found = slots_.find(asked.agent);
    if (given < asked.free_slots && found != slots_.end()) found->second.may_have_tasks = false;
  }
}

void AgentSlots::take(std::string_view agent) { ++slots_[std::string(agent)].busy; }

void AgentSlots::release(std::string_view agent) {
  auto found = slots_.find(agent);
  if (found == slots_.end()) return;
  --found->second.busy;
  if (!found->second.needed()) slots_.erase(found);
}

}  // namespace davit::dispatch
