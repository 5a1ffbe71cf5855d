#include "host/plugin/registry.h"

#include <algorithm>

namespace davit::plugin {

std::string_view to_string(ServingState state) {
  switch (state) {
    case ServingState::Serving:
      return "serving";
    case ServingState::Disabled:
      return "disabled";
    case ServingState::NoSecret:
      return "no_secret";
    case ServingState::BadConfig:
      return "bad_config";
    case ServingState::Missing:
      return "missing";
    case ServingState::Quarantined:
      return "quarantined";
  }
  return "missing";
}

const Webhook* Snapshot::webhook(std::string_view instance) const {
  auto found = webhooks.find(instance);
  return found == webhooks.end() ? nullptr : found->second.get();
}

std::shared_ptr<const Agent> Snapshot::agent(std::string_view name) const {
  auto found = agents.find(name);
  return found == agents.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Agent>> Snapshot::agents_with(std::string_view capability) const {
  std::vector<std::shared_ptr<const Agent>> able;
  for (const auto& [name, agent] : agents) {
    if (std::find(agent->capabilities.begin(), agent->capabilities.end(), capability) !=
        agent->capabilities.end()) {
      able.push_back(agent);
    }
  }
  return able;
}

}  // namespace davit::plugin
