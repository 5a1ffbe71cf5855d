// What agents that work on repositories have in common in their configs: blocks that mean the same wherever
// they stand, so that an operator writes them once for all (agent_defaults.config).
//
//   github          {api, git_url, app_id, installation}
//   git             {prefix, mirror_bytes, tree_bytes}
//   claude          as claude_cli/settings.h says; pass_environment has a default here; mcp_config beside, as
//                   claude_cli/mcp_servers.h says
//   sandbox         {network_hosts, read_only, allow_private}
//   skills          {directory}
//   gate            {bots, people, trust}
//   notes           {github, jira, sentry, slack}
//   finish_seconds  what an agent keeps of its time for what comes after the model: a push, a comment
//
// schema.h has the shape of each for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "actor_gate/settings.h"
#include "claude_cli/mcp_servers.h"
#include "claude_cli/settings.h"
#include "davit/json.hpp"
#include "git_workspace/mirrors.h"
#include "github_account/settings.h"
#include "github_api/paths.h"
#include "sandbox/policy.h"
#include "source_note/settings.h"

namespace agent_config {

struct Settings {
  github::Settings github;
  std::string branch_prefix = "davit/";
  git::Limits git;
  claude::Settings claude;
  claude::McpServers mcp;  // of the block claude: its member mcp_config
  sandbox::Policy sandbox;
  std::filesystem::path skills;  // a folder of the operator's own; empty: none
  gate::Settings gate;
  note::Settings notes;
  std::chrono::seconds finish{60};

  // Of an agent's config; what is not there is as above. Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);

  // For git, in a state folder: whose repositories it takes is said by github.git_url alone.
  git::Settings git_settings(const std::filesystem::path& state_folder,
                             const redact::Redactor& secrets) const;
  // "https://github.com/acme/shop.git".
  std::string address_of(const github::Repo& repo) const;
};

}  // namespace agent_config
