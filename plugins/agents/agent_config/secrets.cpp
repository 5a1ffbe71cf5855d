#include "agent_config/secrets.h"

#include <algorithm>
#include <cstdlib>

namespace agent_config {
namespace {

constexpr const char* kNotes[] = {"jira_token", "sentry_token", "slack_token"};
// An address: hidden, it would only make messages about it useless.
constexpr const char* kGateway = "ANTHROPIC_BASE_URL";

}  // namespace

std::vector<std::string> names_of_secrets() {
  std::vector<std::string> names = {
      github::kTokenGrant,      github::kAppKeyGrant, "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", kGateway,
      "CLAUDE_CODE_OAUTH_TOKEN"};
  names.insert(names.end(), std::begin(kNotes), std::end(kNotes));
  return names;
}

Secrets::Secrets(const Settings& settings, const davit::Host& host) : github_(settings.github) {
  std::vector<std::string> known;
  for (const std::string& name : names_of_secrets()) {
    if (const auto value = host.secret(name); value && !value->empty()) grants_[name] = *value;
  }
  for (const std::string& name : settings.claude.pass_environment) {
    const char* inherited = std::getenv(name.c_str());
    if (const auto value = host.secret(name); value && !value->empty())
      variables_[name] = *value;
    else if (inherited && *inherited)
      variables_[name] = inherited;
  }
  for (const auto* values : {&grants_, &variables_}) {
    for (const auto& [name, value] : *values)
      if (name != kGateway) known.push_back(value);
  }
  redactor_ = redact::Redactor(known);
  if (!github_.app_id.empty() && granted(github::kAppKeyGrant).empty())
    no_account_ = "github.app_id names an App, and its key is missing: grant github_app_key";
  else if (github_.app_id.empty() && granted(github::kTokenGrant).empty())
    no_account_ =
        "there is no token for GitHub: grant github_token, or name an App in github.app_id and grant "
        "github_app_key";
}

std::string Secrets::granted(const std::string& name) const {
  const auto found = grants_.find(name);
  return found == grants_.end() ? "" : found->second;
}

github::Account Secrets::account(const std::filesystem::path& state_folder, const github::Repo& repository,
                                 const std::map<std::string, std::string>& permissions) const {
  github::Account account =
      github_.account(granted(github::kTokenGrant), granted(github::kAppKeyGrant), state_folder, repository);
  account.app.permissions = permissions;
  return account;
}

note::Tokens Secrets::notes() const {
  return {.jira = granted(kNotes[0]), .sentry = granted(kNotes[1]), .slack = granted(kNotes[2])};
}

bool Secrets::has_key() const {
  return std::any_of(variables_.begin(), variables_.end(),
                     [](const auto& one) { return one.first != kGateway; });
}

std::optional<std::string> Secrets::variable(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace agent_config
