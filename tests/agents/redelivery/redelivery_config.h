// What the tests' redelivery agents are given.
#pragma once

#include <string>

#include "davit/json.hpp"
#include "tests/agents/agent_run/agent_run.h"

namespace redelivery_test {

inline constexpr const char* kToken = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";

// With the hook 5 of acme/shop, or with `hooks`.
inline std::string config_for(const std::string& api, davit::Json hooks = {}) {
  using davit::Json;
  if (hooks.is_null()) hooks = Json::array({Json::object({{"repository", "acme/shop"}, {"id", 5}})});
  return Json::object({{"github", Json::object({{"api", api}})}, {"hooks", std::move(hooks)}}).dump();
}

inline agent_run::Given given_for(const std::string& api, const std::string& state_folder) {
  return {.plugin = "redelivery_agent",
          .config = config_for(api),
          .secrets = {{"github_token", kToken}},
          .state_folder = state_folder};
}

}  // namespace redelivery_test
