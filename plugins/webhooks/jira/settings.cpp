#include "settings.h"

#include "../reading/lists.h"
#include "davit/failure.hpp"

namespace jira {

const char* const kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "definitions": {
    "agent": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"},
    "texts": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 256}}
  },
  "properties": {
    "agent": {"$ref": "#/definitions/agent", "description": "gets the tasks"},
    "task_type": {"type": "string", "minLength": 1, "maxLength": 64, "description": "of those tasks"},
    "labels": {"$ref": "#/definitions/texts", "description": "labels that start work; case counts"},
    "text_markers": {"$ref": "#/definitions/texts",
                     "description": "texts in the description that start work; case counts"},
    "events": {"type": "array", "uniqueItems": true, "items": {"enum": ["issue_created", "issue_updated"]},
               "description": "events that start work at all"},
    "any_update": {"type": "boolean",
                   "description": "true: any update of an issue that has the label or the text starts work"},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 3600,
                       "description": "holds a task back, so that a later event can replace it"},
    "projects": {"$ref": "#/definitions/texts", "description": "keys of projects; empty: all"},
    "issue_types": {"$ref": "#/definitions/texts", "description": "names of issue types; empty: all"},
    "users": {"$ref": "#/definitions/texts", "description": "who may start work and give commands; empty: all"},
    "ignore_users": {"$ref": "#/definitions/texts", "description": "whose events count for nothing"},
    "allow_bots": {"$ref": "#/definitions/texts", "description": "apps whose events count"},
    "allow_customers": {"type": "boolean", "description": "true: customers of service desks count"},
    "command_prefix": {"type": "string", "maxLength": 32,
                       "description": "begins a command in a comment; empty: no commands"},
    "command_users": {"$ref": "#/definitions/texts", "description": "who may give commands; * is everybody"},
    "run_agents": {"type": "array", "maxItems": 100, "items": {"$ref": "#/definitions/agent"},
                   "description": "what the command run may start beside agent"},
    "comments_from": {"enum": ["auto", "comment_created", "issue_updated"],
                      "description": "which of the two events about a comment is read"},
    "github_hosts": {"$ref": "#/definitions/texts", "description": "hosts whose links are GitHub's"},
    "sentry_hosts": {"$ref": "#/definitions/texts", "description": "hosts whose links are Sentry's"}
  }
})json";

Settings Settings::from(davit::JsonView config) {
  using reading::read;
  Settings settings;
  read(config["agent"], settings.agent);
  read(config["task_type"], settings.task_type);
  read(config["labels"], settings.labels);
  read(config["text_markers"], settings.text_markers);
  read(config["events"], settings.events);
  read(config["any_update"], settings.any_update);
  settings.settle_seconds = static_cast<int>(config["settle_seconds"].int_or(0));
  read(config["projects"], settings.projects);
  read(config["issue_types"], settings.issue_types);
  read(config["users"], settings.users);
  read(config["ignore_users"], settings.ignore_users);
  read(config["allow_bots"], settings.allow_bots);
  read(config["allow_customers"], settings.allow_customers);
  read(config["command_prefix"], settings.command_prefix);
  read(config["command_users"], settings.command_users);
  read(config["run_agents"], settings.run_agents);
  read(config["comments_from"], settings.comments_from);
  read(config["github_hosts"], settings.github_hosts);
  read(config["sentry_hosts"], settings.sentry_hosts);
  if (settings.command_prefix.find_first_of(" \t\r\n") != std::string::npos)
    throw davit::Failure::invalid_input("config.command_prefix: a blank would end the prefix");
  for (const std::string& label : settings.labels) {
    if (label.find_first_of(" \t\r\n") != std::string::npos)
      throw davit::Failure::invalid_input("config.labels: '" + label +
                                          "' has a blank, which no label of Jira has");
  }
  return settings;
}

}  // namespace jira
