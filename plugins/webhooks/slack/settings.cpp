#include "settings.h"

#include "../reading/lists.h"
#include "davit/failure.hpp"

namespace slack {

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
    "mentions": {"type": "boolean", "description": "true: a mention of the app starts work"},
    "direct_messages": {"type": "boolean", "description": "true: a message to the app starts work"},
    "commands": {"$ref": "#/definitions/texts", "description": "slash commands that are ours"},
    "teams": {"$ref": "#/definitions/texts", "description": "ids of workspaces; empty: all"},
    "channels": {"$ref": "#/definitions/texts", "description": "ids of channels; empty: all"},
    "users": {"$ref": "#/definitions/texts", "description": "ids of who may start work; empty: all"},
    "ignore_users": {"$ref": "#/definitions/texts", "description": "ids whose events count for nothing"},
    "allow_external": {"type": "boolean", "description": "true: people of other workspaces count"},
    "command_users": {"$ref": "#/definitions/texts", "description": "ids of who may act on tasks; * is everybody"},
    "run_agents": {"type": "array", "maxItems": 100, "items": {"$ref": "#/definitions/agent"},
                   "description": "what the command run may start beside agent"},
    "button_prefix": {"type": "string", "minLength": 1, "maxLength": 64,
                      "description": "begins the action_id of our buttons"}
  }
})json";

Settings Settings::from(davit::JsonView config) {
  using reading::read;
  Settings settings;
  read(config["agent"], settings.agent);
  read(config["task_type"], settings.task_type);
  read(config["mentions"], settings.mentions);
  read(config["direct_messages"], settings.direct_messages);
  read(config["commands"], settings.commands);
  read(config["teams"], settings.teams);
  read(config["channels"], settings.channels);
  read(config["users"], settings.users);
  read(config["ignore_users"], settings.ignore_users);
  read(config["allow_external"], settings.allow_external);
  read(config["command_users"], settings.command_users);
  read(config["run_agents"], settings.run_agents);
  read(config["button_prefix"], settings.button_prefix);
  for (const std::string& command : settings.commands) {
    if (command.front() != '/' || command.find(' ') != std::string::npos)
      throw davit::Failure::invalid_input("config.commands: '" + command +
                                          "' is no slash command such as /davit");
  }
  return settings;
}

}  // namespace slack
