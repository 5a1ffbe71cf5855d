#include "settings.h"

#include <algorithm>

#include "../reading/lists.h"
#include "davit/failure.hpp"

namespace standard {

using davit::Failure;
using davit::JsonView;

const char* const kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["rules"],
  "definitions": {
    "pointer": {"type": "string", "maxLength": 256, "pattern": "^(/([^~]|~[01])*)?$",
                "description": "a JSON pointer into the body: /data/id"},
    "template": {"type": "string", "minLength": 1, "maxLength": 512,
                 "pattern": "^([^{}]|[{]/([^~{}]|~[01])*[}])*$",
                 "description": "a text in which {/data/id} stands for what is there in the body"},
    "hosts": {"type": "array", "description": "hosts whose links are theirs", "maxItems": 100,
               "items": {"type": "string", "minLength": 1, "maxLength": 256}},
    "scalar": {"type": ["string", "number", "boolean"]},
    "scalars": {"type": "array", "minItems": 1, "maxItems": 100, "items": {"$ref": "#/definitions/scalar"}},
    "test": {
      "type": "object",
      "additionalProperties": false,
      "required": ["at"],
      "minProperties": 2,
      "maxProperties": 2,
      "properties": {
        "at": {"$ref": "#/definitions/pointer"},
        "equals": {"$ref": "#/definitions/scalar"},
        "one_of": {"$ref": "#/definitions/scalars"},
        "none_of": {"$ref": "#/definitions/scalars"},
        "contains": {"type": "string", "minLength": 1, "maxLength": 256},
        "like": {"type": "string", "minLength": 1, "maxLength": 256},
        "exists": {"type": "boolean"}
      }
    },
    "conditions": {
      "type": "array",
      "description": "all of them must hold",
      "maxItems": 16,
      "items": {
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 2,
        "properties": {
          "at": {"$ref": "#/definitions/pointer"},
          "equals": {"$ref": "#/definitions/scalar"},
          "one_of": {"$ref": "#/definitions/scalars"},
          "none_of": {"$ref": "#/definitions/scalars"},
          "contains": {"type": "string", "minLength": 1, "maxLength": 256},
          "like": {"type": "string", "minLength": 1, "maxLength": 256},
          "exists": {"type": "boolean"},
          "any": {"type": "array", "minItems": 1, "maxItems": 16, "items": {"$ref": "#/definitions/test"},
                  "description": "conditions of which one is enough"}
        }
      }
    }
  },
  "properties": {
    "event_at": {"$ref": "#/definitions/pointer"},
    "require": {"$ref": "#/definitions/conditions"},
    "rules": {
      "type": "array",
      "minItems": 1,
      "maxItems": 32,
      "description": "which events start work; the first rule that applies decides",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["events"],
        "properties": {
          "name": {"type": "string", "minLength": 1, "maxLength": 64, "description": "for people"},
          "events": {"type": "array", "minItems": 1, "maxItems": 100, "examples": [["*"]],
                     "items": {"type": "string", "minLength": 1, "maxLength": 256},
                     "description": "names of events; * stands for anything"},
          "when": {"$ref": "#/definitions/conditions"},
          "agent": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$", "description": "gets the task"},
          "task_type": {"type": "string", "minLength": 1, "maxLength": 64, "description": "of that task"},
          "priority": {"type": "integer", "minimum": -100, "maximum": 100,
                       "description": "the greater one goes first"}
        }
      }
    },
    "title": {"$ref": "#/definitions/template"},
    "entity": {
      "type": "object",
      "description": "what the event is about",
      "additionalProperties": false,
      "required": ["key"],
      "properties": {
        "key": {"$ref": "#/definitions/template"},
        "type": {"type": "string", "minLength": 1, "maxLength": 64, "description": "a word for people"},
        "title": {"$ref": "#/definitions/template"},
        "url": {"$ref": "#/definitions/template"},
        "group": {"$ref": "#/definitions/template"}
      }
    },
    "actor": {
      "type": "object",
      "description": "who caused the event",
      "additionalProperties": false,
      "properties": {
        "id": {"$ref": "#/definitions/template"},
        "login": {"$ref": "#/definitions/template"},
        "role": {"$ref": "#/definitions/template"}
      }
    },
    "links": {
      "type": "array",
      "maxItems": 16,
      "description": "what else the event names",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["rel", "key"],
        "properties": {
          "rel": {"type": "string", "minLength": 1, "maxLength": 64, "description": "what kind of thing"},
          "key": {"$ref": "#/definitions/template"},
          "url": {"$ref": "#/definitions/template"}
        }
      }
    },
    "texts": {"type": "array", "maxItems": 16, "items": {"$ref": "#/definitions/pointer"},
              "description": "texts that are searched for issues and pull requests"},
    "payload": {"type": "object", "maxProperties": 64, "additionalProperties": {"$ref": "#/definitions/pointer"},
                "description": "what the agent gets: names, and pointers to the values"},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 3600,
                       "description": "holds a task back, so that a later event can replace it"},
    "github_hosts": {"$ref": "#/definitions/hosts"},
    "sentry_hosts": {"$ref": "#/definitions/hosts"},
    "jira_site": {"type": "string", "minLength": 1, "maxLength": 120,
                  "description": "host, and context path, of a Jira beside those at atlassian.net"}
  }
})json";

namespace {

std::string at_index(const std::string& list, std::size_t i) { return list + "[" + std::to_string(i) + "]"; }

std::vector<Condition> conditions_of(JsonView config, const std::string& where) {
  std::vector<Condition> conditions;
  for (std::size_t i = 0; i < config.size(); ++i)
    conditions.push_back(Condition::from(config[i], at_index(where, i)));
  return conditions;
}

Rule rule_of(JsonView config, std::size_t i) {
  const std::string where = at_index("config.rules", i);
  Rule rule{
      .name = std::to_string(i + 1), .events = {}, .when = conditions_of(config["when"], where + ".when")};
  reading::read(config["name"], rule.name);
  reading::read(config["events"], rule.events);
  reading::read(config["agent"], rule.agent);
  reading::read(config["task_type"], rule.task_type);
  rule.priority = static_cast<int>(config["priority"].int_or(0));
  return rule;
}

Template template_of(JsonView config, const char* object, const char* member) {
  const std::string where = std::string("config.") + object + (*object ? "." : "") + member;
  return Template::from((*object ? config[object][member] : config[member]).string_or(""), where);
}

}  // namespace

Settings Settings::from(JsonView config) {
  using reading::read;
  Settings settings;
  read(config["event_at"], settings.event_at);
  settings.event_at = pointer_of(settings.event_at, "config.event_at");
  settings.require = conditions_of(config["require"], "config.require");
  for (std::size_t i = 0; i < config["rules"].size(); ++i)
    settings.rules.push_back(rule_of(config["rules"][i], i));
  settings.title = template_of(config, "", "title");
  settings.entity_key = template_of(config, "entity", "key");
  settings.entity_title = template_of(config, "entity", "title");
  settings.entity_url = template_of(config, "entity", "url");
  settings.entity_group = template_of(config, "entity", "group");
  read(config["entity"]["type"], settings.entity_type);
  settings.actor_id = template_of(config, "actor", "id");
  settings.actor_login = template_of(config, "actor", "login");
  settings.actor_role = template_of(config, "actor", "role");
  for (std::size_t i = 0; i < config["links"].size(); ++i) {
    const JsonView link = config["links"][i];
    const std::string where = at_index("config.links", i);
    settings.links.push_back({.rel = std::string(link["rel"].string_or("")),
                              .key = Template::from(link["key"].string_or(""), where + ".key"),
                              .url = Template::from(link["url"].string_or(""), where + ".url")});
  }
  read(config["texts"], settings.texts);
  for (std::size_t i = 0; i < settings.texts.size(); ++i)
    settings.texts[i] = pointer_of(settings.texts[i], at_index("config.texts", i));
  for (const auto& [name, pointer] : config["payload"].members()) {
    const std::string where = "config.payload." + std::string(name);
    if (name == "source" || name == "event" || name == "sentry_issue")
      throw Failure::invalid_input(where + ": a member of this name is there already");
    settings.payload.emplace_back(name, pointer_of(pointer.string_or(""), where));
  }
  settings.settle_seconds = static_cast<int>(config["settle_seconds"].int_or(0));
  read(config["github_hosts"], settings.hosts.github);
  read(config["sentry_hosts"], settings.hosts.sentry);
  read(config["jira_site"], settings.hosts.jira);
  return settings;
}

}  // namespace standard
