// What the discovery agent's config says beside the blocks that it shares with other agents.
#pragma once

#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "davit/json.hpp"
#include "discovery/mapping.h"

namespace discovery {

struct Settings {
  agent_config::Settings shared;
  std::vector<Mapping> mappings;  // the first one that holds counts
  // What is searched, and may be linked to: those of the list and those of the mappings, each once.
  std::vector<std::string> repositories;
  bool has_list = false;   // without one, what GitHub or a person named may be chosen, too
  double threshold = 0.6;  // of a score
  bool use_model = true;
  std::string next_agent = "planning-agent";  // empty: the chain ends

  // Whether that one may be chosen; names as on GitHub, without regard to case.
  bool is_allowed(const std::string& repository) const;

  // Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

// JSON Schema of it.
std::string config_schema();

}  // namespace discovery
