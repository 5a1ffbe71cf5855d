#include "discovery/settings.h"

#include <algorithm>

#include "agent_config/schema.h"
#include "davit/failure.hpp"
#include "discovery/letters.h"
#include "work_item/work_item.h"

namespace discovery {
namespace {

using davit::JsonView;

[[noreturn]] void refuse(const std::string& key, const std::string& what) {
  throw davit::Failure::invalid_input("config." + key + ": " + what);
}

std::string repository_in(JsonView value, const std::string& key) {
  std::string name(value.string_or(""));
  if (!work::is_repository(name)) refuse(key, "must be a repository's name as owner/name");
  return name;
}

bool has(const std::vector<std::string>& list, const std::string& repository) {
  const std::string name = lower(repository);
  return std::any_of(list.begin(), list.end(), [&](const std::string& one) { return lower(one) == name; });
}

Mapping mapping_from(JsonView json, const std::string& key) {
  Mapping mapping{.when = {}, .repository = repository_in(json["repository"], key + ".repository")};
  const std::vector<std::string_view> known = names_of_conditions();
  for (const auto& [name, value] : json["when"].members()) {
    const std::string where = key + ".when." + std::string(name);
    if (std::find(known.begin(), known.end(), name) == known.end()) refuse(where, "is unknown");
    if (value.string_or("").empty()) refuse(where, "must be a text");
    mapping.when.emplace(name, value.string_or(""));
  }
  if (mapping.when.empty())
    refuse(key + ".when", "must have a condition: all would be mapped to one repository");
  return mapping;
}

}  // namespace

bool Settings::is_allowed(const std::string& repository) const {
  return !has_list || has(repositories, repository);
}

Settings Settings::from(JsonView config) {
  Settings settings{.shared = agent_config::Settings::from(config), .mappings = {}, .repositories = {}};
  const auto allow = [&](std::string name) {
    if (!has(settings.repositories, name)) settings.repositories.push_back(std::move(name));
  };
  std::size_t number = 0;
  for (const JsonView name : config["repositories"])
    allow(repository_in(name, "repositories[" + std::to_string(number++) + "]"));
  settings.has_list = !settings.repositories.empty();
  number = 0;
  for (const JsonView mapping : config["mappings"])
    settings.mappings.push_back(mapping_from(mapping, "mappings[" + std::to_string(number++) + "]"));
  for (const Mapping& mapping : settings.mappings) allow(mapping.repository);
  settings.threshold = config["threshold"].number_or(settings.threshold);
  settings.use_model = config["use_model"].bool_or(settings.use_model);
  settings.next_agent = config["next_agent"].string_or(settings.next_agent);
  return settings;
}

std::string config_schema() {
  return agent_config::schema_of(agent_config::all_blocks(), R"({
    "mappings": {
      "type": "array", "maxItems": 500, "description": "What is known beforehand; the first one that fits counts",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["when", "repository"],
        "properties": {
          "when": {
            "type": "object", "additionalProperties": false, "minProperties": 1,
            "description": "All of it must hold; small and capital letters are the same",
            "properties": {
              "webhook": {"type": "string", "minLength": 1, "description": "The webhook as the configuration calls it"},
              "source": {"type": "string", "minLength": 1, "description": "github, jira, sentry, slack, or the name of an instance of standard"},
              "jira_project": {"type": "string", "minLength": 1, "description": "Key of the Jira project, as SHOP"},
              "sentry_project": {"type": "string", "minLength": 1, "description": "Slug, id or name of the Sentry project"},
              "slack_channel": {"type": "string", "minLength": 1, "description": "Id of the Slack channel, as C0123456789"},
              "label": {"type": "string", "minLength": 1, "description": "One of the labels or tags"},
              "text": {"type": "string", "minLength": 1, "description": "Words that stand in the title or the text"}
            }
          },
          "repository": {"type": "string", "pattern": "^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", "description": "owner/name"}
        }
      }
    },
    "repositories": {"type": "array", "maxItems": 200, "items": {"type": "string", "pattern": "^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$"}, "description": "What may be chosen, as owner/name, beside the repositories of the mappings: links to others count for nothing; what these hold is copied and searched"},
    "threshold": {"type": "number", "minimum": 0.5, "maximum": 1, "description": "How sure it must be, from 0 to 1; 0.6 by default"},
    "use_model": {"type": "boolean", "description": "Whether a model decides where the search does not; true by default, wants a key for it"},
    "next_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "description": "Who goes on with the repository; planning-agent by default, empty for nobody"}
  })");
}

}  // namespace discovery
