#include "settings.h"

#include <cstdint>

#include "davit/failure.hpp"

namespace redelivery {
namespace {

using davit::Failure;
using davit::JsonView;

github::Hook hook_of(JsonView json) {
  const std::string_view repository = json["repository"].string_or(""),
                         organization = json["organization"].string_or("");
  const bool of_app = json["app"].bool_or(false);
  if ((repository.empty() ? 0 : 1) + (organization.empty() ? 0 : 1) + (of_app ? 1 : 0) != 1)
    throw Failure::invalid_input("config.hooks: each is of a repository, of an organization, or app: true");
  github::Hook hook{.id = json["id"].int_or(0), .organization = std::string(organization)};
  if (of_app != (hook.id <= 0))
    throw Failure::invalid_input(
        "config.hooks: a hook has its id, the number in the address of its page on GitHub; app: true has "
        "none");
  if (!repository.empty()) {
    const std::size_t slash = repository.find('/');
    if (slash == std::string_view::npos)
      throw Failure::invalid_input("config.hooks: a repository is named owner/name");
    hook.repo = {std::string(repository.substr(0, slash)), std::string(repository.substr(slash + 1))};
  }
  github::deliveries_path(hook);  // says what is wrong with the names
  return hook;
}

std::int64_t number_in(JsonView json, const char* key, std::int64_t fallback, std::int64_t most) {
  const std::int64_t number = json[key].int_or(fallback);
  if (number < 1 || number > most)
    throw Failure::invalid_input("config." + std::string(key) + " is from 1 to " + std::to_string(most));
  return number;
}

}  // namespace

std::string name_of(const github::Hook& hook) {
  if (hook.of_app()) return "the GitHub App";
  const std::string whose =
      hook.organization.empty() ? hook.repo.owner + "/" + hook.repo.name : hook.organization;
  return whose + ", hook " + std::to_string(hook.id);
}

Settings Settings::from(JsonView config) {
  Settings settings;
  settings.github = github::Settings::from(config["github"]);
  for (const JsonView hook : config["hooks"]) settings.hooks.push_back(hook_of(hook));
  settings.lookback = std::chrono::hours(number_in(config, "lookback_hours", 72, 72));
  settings.most = static_cast<int>(number_in(config, "most", 100, 500));
  return settings;
}

std::string config_schema() {
  return R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "github": )" +
         std::string(github::kSettingsSchema) + R"(,
    "hooks": {
      "type": "array", "maxItems": 100,
      "description": "The hooks whose failed deliveries are asked for again",
      "items": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "repository": {"type": "string", "description": "owner/name, of a repository's hook"},
          "organization": {"type": "string", "description": "Name, of an organization's hook"},
          "id": {"type": "integer", "minimum": 1,
                 "description": "The hook's number, in the address of its page on GitHub"},
          "app": {"type": "boolean", "description": "true: the hook of the GitHub App of `github`"}
        }
      }
    },
    "lookback_hours": {"type": "integer", "minimum": 1, "maximum": 72, "default": 72,
                       "description": "How old a delivery may be; GitHub forgets them after 72 hours"},
    "most": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100,
             "description": "Deliveries asked for in one execution, the oldest first; one takes a second"}
  }
})";
}

}  // namespace redelivery
