// How long is waited, what is started again, and when somebody else goes on.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "davit/json.hpp"

namespace cicd {

// What runners, and the services they need, say when it is not the change that fails.
std::vector<std::string> shipped_infra_patterns();

struct Settings {
  agent_config::Settings shared;            // of it the blocks gate, github and notes
  std::string executor = "executor-agent";  // repairs what the change broke; empty: nobody
  std::chrono::minutes wait{30};            // for checks to end, reruns included
  std::chrono::seconds poll{20};            // the first pause between two looks; they get longer
  std::chrono::seconds settle{90};          // without news, before checks that ended count as all there are
  int reruns = 1;                           // of a workflow's failed jobs
  int max_rounds = 2;                       // how often the executor gets it back
  std::vector<std::string> infra_patterns = shipped_infra_patterns();  // in any case of letters
  std::size_t log_bytes = 64 * 1024;                                   // of all logs that are handed on

  // Of the agent's config. Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

std::string config_schema();

}  // namespace cicd
