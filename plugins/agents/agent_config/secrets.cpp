#include "agent_config/secrets.h"

#include <algorithm>
#include <cstdlib>

namespace agent_config {
namespace {

// As https://code.claude.com/docs/en/env-vars, amazon-bedrock, google-vertex-ai and microsoft-foundry have
// them.
constexpr const char* kModel[] = {"ANTHROPIC_API_KEY",        "ANTHROPIC_AUTH_TOKEN",
                                  "ANTHROPIC_BASE_URL",       "ANTHROPIC_CUSTOM_HEADERS",
                                  "CLAUDE_CODE_OAUTH_TOKEN",  "AWS_ACCESS_KEY_ID",
                                  "AWS_SECRET_ACCESS_KEY",    "AWS_SESSION_TOKEN",
                                  "AWS_BEARER_TOKEN_BEDROCK", "GOOGLE_APPLICATION_CREDENTIALS",
                                  "ANTHROPIC_FOUNDRY_API_KEY"};
constexpr const char* kNotes[] = {"jira_token", "sentry_token", "slack_token"};
// An address: hidden, it would only make messages about it useless.
constexpr const char* kGateway = "ANTHROPIC_BASE_URL";

// By docs/CONFIGURATION.md, "What plugins say": a region or a project of the environment is no secret, and a
// change may name it. What a gateway wants in a header mostly is a key.
bool sounds_secret(const std::string& name) {
  const std::string lower = github::lower(name);
  for (const char* word : {"token", "key", "secret", "pass", "credential", "auth", "custom_headers"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

}  // namespace

std::vector<std::string> names_of_secrets() {
  std::vector<std::string> names = {github::kTokenGrant, github::kAppKeyGrant};
  names.insert(names.end(), std::begin(kModel), std::end(kModel));
  names.insert(names.end(), std::begin(kNotes), std::end(kNotes));
  return names;
}

Secrets::Secrets(const Settings& settings, const davit::Host& host) : github_(settings.github) {
  std::vector<std::string> known;
  for (const std::string& name : names_of_secrets()) {
    if (const auto value = host.secret(name); value && !value->empty()) grants_[name] = *value;
  }
  for (const auto& [name, value] : grants_)
    if (name != kGateway) known.push_back(value);
  for (const std::string& name : settings.mcp.grants) {
    if (const auto value = host.secret(name); value && !value->empty()) for_mcp_[name] = *value;
  }
  for (const auto& [name, value] : for_mcp_) known.push_back(value);
  for (const std::string& name : settings.claude.pass_environment) {
    const char* inherited = std::getenv(name.c_str());
    const auto granted = host.secret(name);
    if (granted && !granted->empty())
      variables_[name] = *granted;
    else if (inherited && *inherited)
      variables_[name] = inherited;
    else
      continue;
    const bool is_secret = granted && !granted->empty() ? name != kGateway : sounds_secret(name);
    if (is_secret) known.push_back(variables_[name]);
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

std::optional<std::string> Secrets::for_mcp(const std::string& name) const {
  const auto found = for_mcp_.find(name);
  return found == for_mcp_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace agent_config
