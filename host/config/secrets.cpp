#include "host/config/secrets.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "host/base/crypto.h"
#include "host/base/file.h"

namespace davit::config {
namespace {

constexpr std::size_t kLeastSigningSecret = 16;
constexpr std::size_t kLongestSecret = 64 << 10;

std::string named(const SecretSource& source) {
  switch (source.kind) {
    case SecretSource::Kind::Environment:
      return "the environment variable " + source.name;
    case SecretSource::Kind::File:
      return "the file " + source.name;
    case SecretSource::Kind::Credential:
      return "the credential " + source.name;
  }
  return source.name;
}

// Docker and Kubernetes mount secrets as symbolic links, so links are followed.
Result<std::string> read_secret_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return Error{ErrorCode::NotFound, "the file " + path + " cannot be read (" + errno_text(errno) + ")"};
  if ((status.st_mode & S_IRWXO) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    return Error{ErrorCode::InvalidInput, "the file " + path + " is open to everyone on this machine (mode " +
                                              mode + "); run chmod 0600 " + path};
  }
  return read_file(path, kLongestSecret);
}

// systemd puts the files into a folder that this service alone may read and names it in a variable
// (systemd.exec(5), "Credentials").
Result<std::string> read_credential(const std::string& name, const Environment& environment) {
  const auto folder = environment("CREDENTIALS_DIRECTORY");
  if (!folder || folder->empty())
    return Error{ErrorCode::NotFound, "the credential " + name +
                                          " is not there: CREDENTIALS_DIRECTORY is not set; give it with "
                                          "LoadCredential= in the service's unit"};
  return read_secret_file(*folder + "/" + name);
}

// The secret as its source has it, without line breaks at its end.
Result<std::string> read_source(const SecretSource& source, const Environment& environment,
                                std::string& note) {
  std::string value;
  switch (source.kind) {
    case SecretSource::Kind::Environment: {
      auto found = environment(source.name);
      if (!found) return Error{ErrorCode::NotFound, named(source) + " is not set"};
      value = std::move(*found);
      break;
    }
    case SecretSource::Kind::File:
      value = TRY(read_secret_file(source.name));
      break;
    case SecretSource::Kind::Credential:
      value = TRY(read_credential(source.name, environment));
      break;
  }
  const std::size_t before = value.size();
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  if (value.size() != before)
    note = named(source) + " ends with a line break, which is not part of the secret";
  return value;
}

Result<> check_value(const SecretSource& source, std::string_view value, std::size_t least_bytes) {
  if (value.empty())
    return Error{ErrorCode::InvalidInput, named(source) + " is empty; put the secret in it or remove it"};
  // A secret of Standard Webhooks is a key written as base64, a third longer than what has to be guessed.
  // Which scheme a webhook has is known only once its plugin is; that may ask for more.
  constexpr std::string_view kBase64Key = "whsec_";
  const Result<std::string> key =
      from_base64(value.starts_with(kBase64Key) ? value.substr(kBase64Key.size()) : std::string_view("?"));
  if (value.size() < least_bytes || (key.ok() && key->size() < least_bytes))
    return Error{ErrorCode::InvalidInput,
                 named(source) + " holds fewer than " + std::to_string(least_bytes) +
                     " bytes, which can be guessed; make one with `openssl rand -hex 32`"};
  return {};
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

Result<> check_token(const std::string& holder, std::string_view token) {
  std::string what;
  if (!token.empty() && (is_blank(token.front()) || is_blank(token.back()))) {
    what = "begins or ends with a blank";
  } else if (std::any_of(token.begin(), token.end(), is_blank)) {
    what = "has a blank in it";
  } else if (std::any_of(token.begin(), token.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    what = "has a line break or another control character in it";
  } else if (std::any_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x7f; })) {
    what = "has a character in it that is not ASCII";
  } else {
    return {};
  }
  return Error{ErrorCode::InvalidInput, holder + " " + what +
                                            ", so no request can show it as a token; make one with `openssl rand "
                                            "-hex 32`"};
}

std::optional<Mistake> shared_token(const Config& config, const std::string& admin_holder,
                                    std::string_view admin, std::string_view reader) {
  if (admin.empty() || !constant_time_equal(admin, reader)) return std::nullopt;
  return Mistake{0, "auth.reader_token_env",
                 "the environment variable " + config.auth.reader_token_env + " holds the admin token, which " +
                     admin_holder + " has, so whoever may only read could do everything; make another with "
                     "`openssl rand -hex 32`"};
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Result<std::string> fetch_secret(const SecretSource& source, std::size_t least_bytes,
                                 const Environment& environment, std::string& note) {
  std::string value = TRY(read_source(source, environment, note));
  TRY(check_value(source, value, least_bytes));
  return value;
}

ResolvedSecrets resolve_secrets(const Config& config, const Environment& environment) {
  ResolvedSecrets resolved;
  // The secret, or nullopt after a note (it does not exist) or a mistake (it is unfit).
  const auto fetch = [&](const SecretSource& source, std::size_t least, const std::string& key,
                         const std::string& consequence) -> std::optional<std::string> {
    std::string note;
    auto secret = fetch_secret(source, least, environment, note);
    if (!note.empty()) resolved.notes.push_back({source.line, key, note});
    if (secret.ok()) return std::move(secret).value();
    if (secret.error().code == ErrorCode::NotFound)
      resolved.notes.push_back({source.line, key, secret.error().message + "; " + consequence});
    else
      resolved.mistakes.push_back({source.line, key, secret.error().message});
    return std::nullopt;
  };
  const auto fetch_grants = [&](const std::map<std::string, SecretSource>& grants, const std::string& key) {
    SecretsByName secrets;
    for (const auto& [name, source] : grants)
      if (auto secret = fetch(source, 1, key + ".grants." + name, "the plugin goes without it"))
        secrets.emplace(name, std::move(*secret));
    return secrets;
  };

  for (const auto& [instance, webhook] : config.webhooks) {
    if (!webhook.enabled) continue;
    const std::string key = "webhooks." + instance;
    SigningSecrets& secrets = resolved.webhooks[instance];
    const std::string consequence = webhook.secrets.size() > 1 ? "deliveries signed with it are refused"
                                                               : "this webhook answers 503 until it is";
    for (std::size_t i = 0; i < webhook.secrets.size(); ++i) {
      const SecretSource& source = webhook.secrets[i];
      std::string note;
      const auto value = read_source(source, environment, note);
      if (!note.empty()) resolved.notes.push_back({source.line, key, note});
      const Result<> fault = value.ok() ? check_value(source, *value, kLeastSigningSecret) : value.error();
      if (fault.ok()) {
        secrets.values.push_back(*value);
        secrets.numbers.push_back(static_cast<int>(i) + 1);
        continue;
      }
      secrets.faults += (secrets.faults.empty() ? "" : "; ") + fault.error().message;
      if (value.ok())
        resolved.unfit.push_back({source.line, key, fault.error().message});
      else if (fault.error().code == ErrorCode::NotFound)
        resolved.notes.push_back({source.line, key, fault.error().message + "; " + consequence});
      else
        resolved.mistakes.push_back({source.line, key, fault.error().message});
    }
    if (webhook.secrets.empty() && !webhook.allow_unsigned)
      resolved.notes.push_back(
          {webhook.line, key,
           "names no secret; this webhook answers 503 until secret_env, secret_file or credential does"});
    resolved.webhook_grants[instance] = fetch_grants(webhook.grants, key);
  }
  for (const auto& [name, agent] : config.agents) {
    if (!agent.enabled) continue;
    resolved.agent_grants[name] = fetch_grants(agent.grants, "agents." + name);
    for (const std::string& variable : agent.environment)
      if (auto value = environment(variable))
        resolved.agent_environment[name].emplace(variable, std::move(*value));
  }
  resolved.default_grants = fetch_grants(config.agent_defaults.grants, "agent_defaults");
  for (const std::string& variable : config.agent_defaults.environment)
    if (auto value = environment(variable)) resolved.default_environment.emplace(variable, std::move(*value));
  const auto token = [&](const std::string& variable, const char* key) -> std::optional<std::string> {
    const SecretSource source{SecretSource::Kind::Environment, variable, 0};
    if (!environment(variable)) return std::nullopt;
    std::optional<std::string> found = fetch(source, kLeastSigningSecret, key, "");
    if (!found) return std::nullopt;
    const Result<> fit = check_token(named(source), *found);
    if (fit.ok()) return found;
    resolved.mistakes.push_back({source.line, key, fit.error().message});
    return std::nullopt;
  };
  resolved.admin_token = token(config.auth.admin_token_env, "auth.admin_token_env");
  resolved.reader_token = token(config.auth.reader_token_env, "auth.reader_token_env");
  if (auto shared = shared_token(config, "the environment variable " + config.auth.admin_token_env,
                                 resolved.admin_token.value_or(""), resolved.reader_token.value_or("")))
    resolved.mistakes.push_back(std::move(*shared));
  return resolved;
}

}  // namespace davit::config
