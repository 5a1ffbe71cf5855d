// What the code-review agent's config says beside the blocks that it shares with other agents.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "code_review/findings.h"
#include "davit/json.hpp"

namespace review {

struct Settings {
  agent_config::Settings shared;
  int most_comments = 20;                   // at lines; what is beyond stands in the review's body
  bool requests_changes = false;            // when something blocks; otherwise it only comments
  std::size_t max_diff_bytes = 400 * 1024;  // that a model is shown
  std::vector<std::string> skip_authors;    // logins, in letters of any case
  bool forks = false;                       // whether branches of other repositories are reviewed, too
  std::optional<Severity> block_at = Severity::High;  // the least that blocks; nullopt: nothing does
  int max_rounds = 2;  // how often the executor gets a change back, by reviews and checks
  std::string executor = "executor-agent";  // repairs what blocks; empty: nobody
  std::string next_agent = "cicd-agent";    // who goes on in a chain; empty: nobody

  // Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

// JSON Schema of it.
std::string config_schema();

}  // namespace review
