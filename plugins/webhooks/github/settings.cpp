#include "settings.h"

#include <algorithm>

#include "../reading/lists.h"
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
    "task_type": {"type": "string", "minLength": 1, "maxLength": 64, "description": "of those tasks"},
    "labels": {"$ref": "#/definitions/texts", "description": "labels that start work; case counts"},
    "text_markers": {"$ref": "#/definitions/texts", "description": "texts in a new issue that start work; case counts"},
    "issue_actions": {"type": "array", "uniqueItems": true,
                      "items": {"enum": ["opened", "edited", "reopened", "labeled"]},
                      "description": "what may happen to an issue to start work"},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 3600,
                       "description": "holds a task back, so that a later event can replace it"},
    "repositories": {"$ref": "#/definitions/texts", "description": "owner/name or owner/*; empty: all"},
    "trusted_associations": {"type": "array", "uniqueItems": true,
      "description": "what an author must be to the repository for words to count",
      "items": {"enum": ["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR",
                         "FIRST_TIMER", "MANNEQUIN", "NONE"]}},
    "trust_unknown_authors": {"type": "boolean",
                              "description": "issues of a server that tells no association count as trusted"},
    "users": {"$ref": "#/definitions/texts", "description": "whose events count, by login or id; empty: all"},
    "ignore_senders": {"$ref": "#/definitions/texts", "description": "whose events count for nothing"},
    "allow_bots": {"$ref": "#/definitions/texts", "description": "bots whose events count"},
    "command_prefix": {"type": "string", "maxLength": 32,
                       "description": "begins a command in a comment; empty: no commands"},
    "run_agents": {"type": "array", "maxItems": 100, "items": {"$ref": "#/definitions/agent"},
                   "description": "what the command run may start beside agent"},
    "approve_by": {"type": "array", "uniqueItems": true, "items": {"enum": ["review", "merge"]},
                   "description": "what approves the task of a pull request, beside the command"},
    "review_agent": {"$ref": "#/definitions/agent", "description": "reviews pull requests; empty: nobody"},
    "ci_agent": {"$ref": "#/definitions/agent", "description": "works on failed runs; empty: nobody"},
    "ci_events": {"type": "array", "uniqueItems": true,
                  "items": {"enum": ["check_run", "check_suite", "workflow_run"]},
                  "description": "events that tell of the end of a run"},
    "ci_conclusions": {"$ref": "#/definitions/texts", "description": "ends of a run that are a failure"},
    "sentry_hosts": {"$ref": "#/definitions/texts", "description": "hosts whose links are Sentry's"}
  }
})json";

Settings Settings::from(JsonView config) {
  using reading::read;
  Settings settings;
  read(config["agent"], settings.agent);
  read(config["task_type"], settings.task_type);
  read(config["labels"], settings.labels);
  read(config["text_markers"], settings.text_markers);
  read(config["issue_actions"], settings.issue_actions);
  settings.settle_seconds = static_cast<int>(config["settle_seconds"].int_or(0));
  read(config["repositories"], settings.repositories);
  read(config["trusted_associations"], settings.trusted_associations);
  settings.trust_unknown_authors = config["trust_unknown_authors"].bool_or(false);
  read(config["users"], settings.users);
  read(config["ignore_senders"], settings.ignore_senders);
  read(config["allow_bots"], settings.allow_bots);
  read(config["command_prefix"], settings.command_prefix);
  read(config["run_agents"], settings.run_agents);
  read(config["review_agent"], settings.review_agent);
  read(config["ci_agent"], settings.ci_agent);
  read(config["ci_events"], settings.ci_events);
  read(config["approve_by"], settings.approve_by);
  read(config["sentry_hosts"], settings.sentry_hosts);
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
