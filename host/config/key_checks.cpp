#include "host/config/key_checks.h"

#include <algorithm>
#include <filesystem>

#include "host/config/sounds_secret.h"
#include "host/config/text_rule.h"

namespace davit::config {
namespace {

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

// Is one path the other one, or below it? By their words, from the folder davit was started in.
bool lies_in(const std::string& path, const std::string& folder) {
  auto words = [](const std::string& named) {
    auto whole = std::filesystem::absolute(named).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();  // "plugins/"
  };
  const std::filesystem::path inner = words(path), outer = words(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// Does a variable hold a secret of davit itself?
bool is_own_secret(const Config& config, const std::string& variable) {
  if (variable == config.auth.admin_token_env || variable == config.auth.reader_token_env) return true;
  for (const auto& [instance, webhook] : config.webhooks)
    for (const SecretSource& source : webhook.secrets)
      if (source.kind == SecretSource::Kind::Environment && source.name == variable) return true;
  return false;
}

Mistake own_secret(const YamlNode::Member& entry, const std::string& path, const std::string& variable) {
  return {find_member(entry.value, "environment")->line, path + ".environment",
          variable + " holds a secret of davit itself and is not passed on; remove it"};
}

}  // namespace

void check_webhook(const YamlNode::Member& entry, const std::string& path, WebhookConfig& webhook,
                   std::vector<Mistake>& mistakes) {
  if (webhook.plugin.empty()) webhook.plugin = webhook.instance;
  const YamlNode::Member* first = nullptr;
  for (const auto& key : entry.value.members) {
    if (!key.key.starts_with("secret_") && !key.key.starts_with("credential")) continue;
    if (first != nullptr && first->key != key.key)
      mistakes.push_back(
          {key.line, path + "." + key.key, "stands beside " + first->key + "; give one of the two"});
    if (first == nullptr) first = &key;
  }
  if (webhook.allow_unsigned && first != nullptr)
    mistakes.push_back({find_member(entry.value, "allow_unsigned")->line, path + ".allow_unsigned",
                        "contradicts " + first->key + "; remove one of the two"});
}

void check_schedule(const YamlNode::Member& entry, const std::string& path, std::vector<Mistake>& mistakes) {
  for (const char* key : {"agent", "cron"})
    if (find_member(entry.value, key) == nullptr)
      mistakes.push_back({entry.line, path, std::string("needs the key ") + key});
}

void check_agent(const YamlNode::Member& entry, const std::string& path, const AgentConfig& agent,
                 const Config& config, std::vector<Mistake>& mistakes) {
  for (const std::string& variable : agent.environment)
    if (is_own_secret(config, variable)) mistakes.push_back(own_secret(entry, path, variable));
}

void check_agent_defaults(const YamlNode::Member& entry, Config& config, std::vector<Mistake>& mistakes) {
  config.agent_defaults.line = entry.line;
  for (const std::string& variable : config.agent_defaults.environment) {
    if (is_own_secret(config, variable)) {
      mistakes.push_back(own_secret(entry, entry.key, variable));
    } else if (sounds_secret(variable)) {
      // It cannot be asked for by name as a grant is.
      mistakes.push_back(
          {find_member(entry.value, "environment")->line, entry.key + ".environment",
           variable +
               " sounds like a secret, and every agent would see it; name it under agent_defaults.grants, "
               "or under environment of the agents that need it"});
    }
  }
}

void check_all(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes) {
  const ServerConfig& server = config.server;
  if (server.public_access == PublicAccess::No && is_address(server.host) && !is_loopback(server.host)) {
    const auto* section = find_member(root, "server");
    const auto* host = section != nullptr ? find_member(section->value, "host") : nullptr;
    mistakes.push_back(
        {host != nullptr ? host->line : 0, "server.host",
         server.host +
             " can be reached from outside this machine; use 127.0.0.1, or say so with server.public: "
             "behind_proxy (a TLS proxy in front) or direct"});
  }
  if (const auto* section = find_member(root, "plugins")) {
    const auto* directory = find_member(section->value, "directory");
    config.plugins.directory_line = directory != nullptr ? directory->line : section->line;
  }
  if (config.plugins.store.empty()) {
    const std::size_t slash = config.storage.path.rfind('/');
    config.plugins.store =
        (slash == std::string::npos ? std::string() : config.storage.path.substr(0, slash + 1)) + "plugins";
  }
  // What is copied into the store must not look like something that was dropped.
  if (lies_in(config.plugins.store, config.plugins.directory)) {
    mistakes.push_back({config.plugins.directory_line, "plugins.store",
                        config.plugins.store + " lies in plugins.directory (" + config.plugins.directory +
                            "); choose another folder for one of them"});
  }
}

}  // namespace davit::config
