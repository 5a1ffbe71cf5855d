#include "settings.h"

#include "../reading/excerpt.h"
#include "../reading/lists.h"
#include "davit/failure.hpp"

namespace sentry {

const char* const kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "definitions": {
    "texts": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 256}}
  },
  "properties": {
    "agent": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$", "description": "gets the tasks"},
    "task_type": {"type": "string", "minLength": 1, "maxLength": 64, "description": "of those tasks"},
    "issue_actions": {"type": "array", "uniqueItems": true, "items": {"enum": ["created", "unresolved"]},
                      "description": "issue events that start work"},
    "event_alerts": {"type": "boolean", "description": "true: an alert rule that fires starts work"},
    "alert_rules": {"$ref": "#/definitions/texts", "description": "names of those rules; empty: all"},
    "errors": {"type": "boolean", "description": "true: each single error starts work, which is a lot"},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 3600,
                       "description": "holds a task back, so that a later event can replace it"},
    "categories": {"$ref": "#/definitions/texts", "description": "issue categories; empty: all"},
    "levels": {"$ref": "#/definitions/texts", "description": "levels; empty: all"},
    "projects": {"$ref": "#/definitions/texts", "description": "slugs or ids of projects; empty: all"},
    "environments": {"$ref": "#/definitions/texts", "description": "environments of events; empty: all"},
    "organizations": {"$ref": "#/definitions/texts", "description": "slugs of organizations; empty: all"},
    "installations": {"$ref": "#/definitions/texts", "description": "uuids of installations; empty: all"},
    "ignore_actors": {"$ref": "#/definitions/texts", "description": "ids whose events count for nothing"},
    "metric_alert_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$",
                           "description": "gets tasks about metric alerts; empty: nobody"},
    "metric_alert_actions": {"type": "array", "uniqueItems": true,
                             "items": {"enum": ["critical", "warning", "resolved", "open"]},
                             "description": "metric alerts that start work"},
    "organization": {"type": "string", "pattern": "^[a-z0-9-]*$", "maxLength": 64,
                     "description": "slug, for deliveries that name none"},
    "base_url": {"type": "string", "maxLength": 256, "description": "address of the Sentry that sends"}
  }
})json";

Settings Settings::from(davit::JsonView config) {
  using reading::read;
  Settings settings;
  read(config["agent"], settings.agent);
  read(config["task_type"], settings.task_type);
  read(config["issue_actions"], settings.issue_actions);
  read(config["event_alerts"], settings.event_alerts);
  read(config["alert_rules"], settings.alert_rules);
  read(config["errors"], settings.errors);
  settings.settle_seconds = static_cast<int>(config["settle_seconds"].int_or(0));
  read(config["categories"], settings.categories);
  read(config["levels"], settings.levels);
  read(config["projects"], settings.projects);
  read(config["environments"], settings.environments);
  read(config["organizations"], settings.organizations);
  read(config["installations"], settings.installations);
  read(config["ignore_actors"], settings.ignore_actors);
  read(config["metric_alert_agent"], settings.metric_alert_agent);
  read(config["metric_alert_actions"], settings.metric_alert_actions);
  read(config["organization"], settings.organization);
  if (config["base_url"].is_string()) {
    settings.base_url = reading::plain_url(config["base_url"]);
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
    if (settings.base_url.find("://") == std::string::npos)
      throw davit::Failure::invalid_input(
          "config.base_url: must be an address such as https://sentry.example.com");
  }
  return settings;
}

}  // namespace sentry
