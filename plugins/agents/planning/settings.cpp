#include "planning/settings.h"

#include "agent_config/schema.h"
#include "davit/failure.hpp"

namespace planning {

Settings Settings::from(davit::JsonView config) {
  Settings settings{.shared = agent_config::Settings::from(config)};
  settings.plan_path = config["plan_path"].string_or(settings.plan_path);
  const bool leaves = settings.plan_path.front() == '/' || settings.plan_path.find("..") != std::string::npos;
  if (leaves || !settings.plan_path.ends_with(".md"))
    throw davit::Failure::invalid_input(
        "config.plan_path: must be the path of a .md file in the repository, as docs/plans/{key}.md");
  settings.draft = config["draft"].bool_or(settings.draft);
  for (const davit::JsonView label : config["labels"]) settings.labels.emplace_back(label.string_or(""));
  settings.next_agent = config["next_agent"].string_or(settings.next_agent);
  settings.author_name = config["author"]["name"].string_or(settings.author_name);
  settings.author_email = config["author"]["email"].string_or(settings.author_email);
  return settings;
}

std::string config_schema() {
  return agent_config::schema_of(agent_config::all_blocks(), R"({
    "plan_path": {"type": "string", "minLength": 4, "description": "File of the plan in the pull request, ending in .md; {key} stands for what it is for; docs/plans/{key}.md by default"},
    "draft": {"type": "boolean", "description": "Whether the pull request is a draft; true by default"},
    "labels": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Labels of the pull request"},
    "next_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "description": "Who carries out the plan once a person approved it; executor-agent by default, empty for nobody"},
    "author": {
      "type": "object", "additionalProperties": false, "required": ["name", "email"],
      "description": "Of the commit with the plan; davit by default",
      "properties": {
        "name": {"type": "string", "minLength": 1, "description": "As git has it"},
        "email": {"type": "string", "minLength": 1, "description": "As git has it"}
      }
    }
  })");
}

}  // namespace planning
