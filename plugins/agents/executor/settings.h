// What the executor's config says beside the blocks that it shares with other agents.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "davit/json.hpp"
#include "git_workspace/gate.h"

namespace executor {

struct Settings {
  agent_config::Settings shared;
  std::vector<std::string> setup_command, test_command;  // program and arguments; empty: there is none
  std::chrono::seconds test_time{600};                   // of each of them
  int fix_rounds = 2;                                    // sessions after the first
  git::Gate gate;                                        // of each change
  std::vector<std::string> test_paths;                   // patterns of files that are tests
  bool mark_beyond_plan = false;                         // of what a person approved: mark, not refuse
  bool keep_plan = false;                                // leave the plan's file in the branch
  bool ready = true;                                     // take the pull request out of draft
  std::string next_agent = "code-review-agent";          // empty: the chain ends with the change
  std::string author_name = "davit", author_email = "davit@users.noreply.github.com";  // of commits

  // Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

// JSON Schema of it.
std::string config_schema();

}  // namespace executor
