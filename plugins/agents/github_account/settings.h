// As whom an agent asks GitHub: `github` in its config, and the secrets it was granted.
//
//   configure(): settings_ = github::Settings::from(config["github"]);
//   execute():   github::Api api(settings_.account(host(), context.state_folder, repo), cancelled);
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "davit/host.hpp"
#include "davit/json.hpp"
#include "github_api/account.h"

namespace github {

// The grants: a token, or an App's key.
inline constexpr const char* kTokenGrant = "github_token";
inline constexpr const char* kAppKeyGrant = "github_app_key";

struct Settings {
  std::string api = Account{}.api;
  std::string git_url = "https://github.com";  // git finds OWNER/NAME.git below it
  std::string app_id;                          // empty: no App
  std::int64_t installation = 0;               // 0: that of the repository that is worked on

  // Of `github` in an agent's config; null is the default. Throws davit::Failure(InvalidInput), naming the
  // key.
  static Settings from(davit::JsonView config);

  // With the secrets that are granted; an App's token is for `repo` alone, or without one for all that the
  // installation has. What is missing github::Api says, in a sentence, when it is made.
  Account account(const davit::Host& host, const std::filesystem::path& state_folder,
                  const Repo& repo = {}) const;
  // With these two, of which the one that the settings do not ask for is left out.
  Account account(std::string token, std::string app_key, const std::filesystem::path& state_folder,
                  const Repo& repo) const;
};

// What must not be seen in anything an agent says.
std::vector<std::string> secrets_of(const Account& account);

// JSON Schema (draft 4) of it.
inline constexpr std::string_view kSettingsSchema = R"({
  "type": "object",
  "description": "The GitHub that the repositories lie at, and as whom it is asked; wants the grant github_token, or github_app_key with app_id",
  "additionalProperties": false,
  "properties": {
    "api": {"type": "string", "description": "Address of the API; of an Enterprise Server https://HOST/api/v3"},
    "git_url": {"type": "string", "description": "Address below which git finds OWNER/NAME.git; https://github.com by default"},
    "app_id": {"type": "string", "description": "Of a GitHub App: its id or client id; its key is the grant github_app_key"},
    "installation": {"type": "integer", "minimum": 1,
                     "description": "Of the App; by default that of the repository that is worked on"}
  }
})";

}  // namespace github
