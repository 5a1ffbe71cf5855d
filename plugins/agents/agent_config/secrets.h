// The secrets of one execution: as whom an agent writes, what its model gets, and what nobody may see.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent_config/settings.h"
#include "davit/host.hpp"
#include "github_api/account.h"
#include "redact/redactor.h"

namespace agent_config {

// Names of grants that agents with a model may need, for their metadata: those given to all agents reach only who asks for them.
std::vector<std::string> names_of_secrets();

// Immutable after construction.
class Secrets {
 public:
  // Reads what was granted, and of the environment what settings.claude passes on and nobody granted.
  Secrets(const Settings& settings, const davit::Host& host);

  // Why GitHub cannot be asked, with what to grant; empty: it can.
  const std::string& no_account() const { return no_account_; }
  // The token, or the App with tokens for `repository` alone that are good for `permissions` ({"contents",
  // "write"}).
  github::Account account(const std::filesystem::path& state_folder, const github::Repo& repository,
                          const std::map<std::string, std::string>& permissions) const;
  note::Tokens notes() const;
  // Whether a model's program gets anything of settings.claude.pass_environment but an address.
  bool has_key() const;
  // Of what a model's program gets.
  std::optional<std::string> variable(const std::string& name) const;
  // What was granted under that name, of those that settings.mcp wants.
  std::optional<std::string> for_mcp(const std::string& name) const;
  // Knows what was granted, and of the environment what a name calls secret (TOKEN, KEY...); no addresses.
  const redact::Redactor& redactor() const { return redactor_; }

 private:
  std::string granted(const std::string& name) const;

  github::Settings github_;
  std::map<std::string, std::string> grants_, variables_, for_mcp_;
  std::string no_account_;
  redact::Redactor redactor_;
};

}  // namespace agent_config
