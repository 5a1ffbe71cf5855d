#include "github_account/settings.h"

#include "davit/failure.hpp"

namespace github {

using davit::Failure;
using davit::JsonView;

Settings Settings::from(JsonView config) {
  Settings settings;
  if (config.is_null()) return settings;
  if (!config.is_object()) throw Failure::invalid_input("github is not an object");
  for (const auto [name, value] : config.members()) {
    const std::string key = "github." + std::string(name);
    if (name == "api") {
      settings.api = value.string_or("");
      while (settings.api.ends_with('/')) settings.api.pop_back();
      if (!settings.api.starts_with("https://") && !settings.api.starts_with("http://127.0.0.1:"))
        throw Failure::invalid_input(key + " is not an address that begins with https://");
    } else if (name == "app_id") {
      settings.app_id = value.string_or("");
      if (settings.app_id.empty()) throw Failure::invalid_input(key + " is not the id of a GitHub App");
    } else if (name == "installation") {
      settings.installation = value.int_or(0);
      if (settings.installation <= 0)
        throw Failure::invalid_input(key + " is not the number of an installation");
    } else if (name == "git_url") {
      if (value.string_or("").empty()) throw Failure::invalid_input(key + " is not an address");
    } else {
      throw Failure::invalid_input(key + " is unknown: there are api, git_url, app_id and installation");
    }
  }
  return settings;
}

Account Settings::account(const davit::Host& host, const std::filesystem::path& state_folder,
                          const Repo& repo) const {
  Account account{.api = api, .token = {}, .app = {}, .state_folder = state_folder};
  if (app_id.empty()) {
    account.token = host.secret(kTokenGrant).value_or("");
  } else {
    account.app.id = app_id;
    account.app.key = host.secret(kAppKeyGrant).value_or("");
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
