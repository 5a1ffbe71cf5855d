#include "settings.h"

#include <algorithm>

#include "davit/failure.hpp"

namespace github {

using davit::JsonView;

const char* const kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "definitions": {
    "agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$"},
    "texts": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 256}}
  },
  "properties": {
    "agent": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$", "description": "works on issues"},
    "task_type": {"type": "string", "minLength": 1, "maxLength": 64},
    "labels": {"$ref": "#/definitions/texts"},
    "text_markers": {"$ref": "#/definitions/texts"},
    "issue_actions": {"type": "array", "uniqueItems": true,
                      "items": {"enum": ["opened", "edited", "reopened", "labeled"]}},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 3600},
    "repositories": {"$ref": "#/definitions/texts"},
    "trusted_associations": {"type": "array", "uniqueItems": true,
      "items": {"enum": ["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR",
                         "FIRST_TIMER", "MANNEQUIN", "NONE"]}},
    "ignore_senders": {"$ref": "#/definitions/texts"},
    "allow_bots": {"$ref": "#/definitions/texts"},
    "command_prefix": {"type": "string", "maxLength": 32},
    "run_agents": {"type": "array", "maxItems": 100, "items": {"$ref": "#/definitions/agent"}},
    "review_agent": {"$ref": "#/definitions/agent"},
    "ci_agent": {"$ref": "#/definitions/agent"},
    "ci_conclusions": {"$ref": "#/definitions/texts"}
  }
})json";

namespace {

void read(JsonView value, std::string& text) {
  if (value.is_string()) text = value.string_or("");
}

void read(JsonView value, std::vector<std::string>& texts) {
  if (!value.is_array()) return;
  texts.clear();
  for (JsonView item : value) texts.emplace_back(item.string_or(""));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

Settings Settings::from(JsonView config) {
  Settings settings;
  read(config["agent"], settings.agent);
  read(config["task_type"], settings.task_type);
  read(config["labels"], settings.labels);
  read(config["text_markers"], settings.text_markers);
  read(config["issue_actions"], settings.issue_actions);
  settings.settle_seconds = static_cast<int>(config["settle_seconds"].int_or(0));
  read(config["repositories"], settings.repositories);
  read(config["trusted_associations"], settings.trusted_associations);
  read(config["ignore_senders"], settings.ignore_senders);
  read(config["allow_bots"], settings.allow_bots);
  read(config["command_prefix"], settings.command_prefix);
  read(config["run_agents"], settings.run_agents);
  read(config["review_agent"], settings.review_agent);
  read(config["ci_agent"], settings.ci_agent);
  read(config["ci_conclusions"], settings.ci_conclusions);
  for (const std::string& repository : settings.repositories) {
    if (std::count(repository.begin(), repository.end(), '/') != 1) {
      throw davit::Failure::invalid_input("config.repositories: '" + repository +
                                          "' is neither owner/name nor owner/*");
    }
  }
  if (settings.command_prefix.find_first_of(" \t\r\n") != std::string::npos) {
    throw davit::Failure::invalid_input("config.command_prefix: a blank would end the prefix");
  }
  return settings;
}

}  // namespace github
