// What the planning agent's config says beside the blocks that it shares with other agents.
#pragma once

#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "davit/json.hpp"

namespace planning {

struct Settings {
  agent_config::Settings shared;
  std::string plan_path = "docs/plans/{key}.md";  // in the repository; {key} says what the plan is for
  bool draft = true;
  std::vector<std::string> labels = {};
  std::string next_agent = "executor-agent";  // empty: the chain ends with the plan
  std::string author_name = "davit", author_email = "davit@users.noreply.github.com";  // of the commit

  // Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

// JSON Schema of it.
std::string config_schema();

}  // namespace planning
