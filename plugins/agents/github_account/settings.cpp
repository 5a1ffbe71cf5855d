#include "github_account/settings.h"

#include <utility>

#include "davit/failure.hpp"
#include "github_api/errors.h"

namespace github {

using davit::Failure;
using davit::JsonView;

namespace {

[[noreturn]] void refuse(std::string_view key, const std::string& what) {
  throw Failure::invalid_input("config.github." + one_line(std::string(key), 64) + ": " + what);
}

std::string without_slash(std::string_view address) {
  while (address.ends_with('/')) address.remove_suffix(1);
  return std::string(address);
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings;
  if (config.is_null()) return settings;
  if (!config.is_object()) throw Failure::invalid_input("config.github: must be an object");
  for (const auto& [name, value] : config.members()) {
    if (name == "api") {
      settings.api = without_slash(value.string_or(""));
      if (!settings.api.starts_with("https://") && !settings.api.starts_with("http://127.0.0.1:"))
        refuse(name, "must be an address that begins with https://");
    } else if (name == "git_url") {
      settings.git_url = without_slash(value.string_or(""));
      if (settings.git_url.empty()) refuse(name, "must be an address");
    } else if (name == "app_id") {
      settings.app_id = value.string_or("");
      if (settings.app_id.empty()) refuse(name, "must be the id of a GitHub App");
    } else if (name == "installation") {
      settings.installation = value.int_or(0);
      if (settings.installation <= 0) refuse(name, "must be the number of an installation");
    } else {
      refuse(name, "is unknown: there are api, git_url, app_id and installation");
    }
  }
  return settings;
}

Account Settings::account(const davit::Host& host, const std::filesystem::path& state_folder,
                          const Repo& repo) const {
  return account(host.secret(kTokenGrant).value_or(""), host.secret(kAppKeyGrant).value_or(""), state_folder,
                 repo);
}

Account Settings::account(std::string token, std::string app_key, const std::filesystem::path& state_folder,
                          const Repo& repo) const {
  Account account{.api = api, .token = {}, .app = {}, .state_folder = state_folder};
  if (app_id.empty()) {
    account.token = std::move(token);
  } else {
    account.app.id = app_id;
    account.app.key = std::move(app_key);
    account.app.installation = installation;
    account.app.repository = repo;
  }
  return account;
}

std::vector<std::string> secrets_of(const Account& account) {
  std::vector<std::string> secrets;
  for (const std::string& secret : {account.token, account.app.key})
    if (!secret.empty()) secrets.push_back(secret);
  return secrets;
}

}  // namespace github
