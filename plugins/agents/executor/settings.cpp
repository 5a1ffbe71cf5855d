#include "executor/settings.h"

#include <algorithm>

#include "agent_config/schema.h"
#include "davit/failure.hpp"

namespace executor {
namespace {

using davit::Failure;
using davit::JsonView;

std::vector<std::string> texts_of(JsonView list) {
  std::vector<std::string> texts;
  for (const JsonView text : list) texts.emplace_back(text.string_or(""));
  return texts;
}

// As the usual tools of the usual languages find them.
std::vector<std::string> usual_test_paths() {
  return {"test/**", "tests/**", "**/test/**", "**/tests/**", "spec/**",  "**/spec/**", "**/__tests__/**",
          "test_*",  "*_test.*", "*_tests.*",  "*.test.*",    "*.spec.*", "*Test.*",    "*Tests.*"};
}

git::Gate gate_from(JsonView config) {
  git::Gate gate;
  if (config.has("allow")) gate.allow = texts_of(config["allow"]);
  for (const std::string& pattern : texts_of(config["not_denied"])) {
    if (std::erase(gate.deny, pattern) == 0)
      throw Failure::invalid_input("config.not_denied: \"" + pattern +
                                   "\" is none of the shipped patterns; README.md has them");
  }
  for (std::string& pattern : texts_of(config["deny"])) gate.deny.push_back(std::move(pattern));
  gate.most_files =
      static_cast<std::size_t>(config["most_files"].int_or(static_cast<std::int64_t>(gate.most_files)));
  gate.most_bytes =
      static_cast<std::size_t>(config["most_bytes"].int_or(static_cast<std::int64_t>(gate.most_bytes)));
  gate.binaries = config["binaries"].bool_or(gate.binaries);
  gate.executables = config["executables"].bool_or(gate.executables);
  return gate;
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings{.shared = agent_config::Settings::from(config)};
  settings.setup_command = texts_of(config["setup_command"]);
  settings.test_command = texts_of(config["test_command"]);
  if (!settings.setup_command.empty() && settings.test_command.empty())
    throw Failure::invalid_input("config.setup_command: is for a test_command, and there is none");
  settings.test_time = std::chrono::seconds(config["test_seconds"].int_or(settings.test_time.count()));
  settings.fix_rounds = static_cast<int>(config["fix_rounds"].int_or(settings.fix_rounds));
  settings.gate = gate_from(config);
  settings.test_paths = config.has("test_paths") ? texts_of(config["test_paths"]) : usual_test_paths();
  settings.mark_beyond_plan = config["beyond_plan"] == "mark";
  settings.keep_plan = config["keep_plan"].bool_or(settings.keep_plan);
  settings.ready = config["ready"].bool_or(settings.ready);
  settings.next_agent = config["next_agent"].string_or(settings.next_agent);
  settings.author_name = config["author"]["name"].string_or(settings.author_name);
  settings.author_email = config["author"]["email"].string_or(settings.author_email);
  return settings;
}

std::string config_schema() {
  return agent_config::schema_of(agent_config::all_blocks(), R"({
    "test_command": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Program and arguments that judge a change, without a shell, started in a new checkout of it, confined and without network; without one nothing is judged, and the pull request stays a draft"},
    "setup_command": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Started before it in the same checkout, as confined"},
    "test_seconds": {"type": "integer", "minimum": 1, "maximum": 86400, "description": "Longest time of each of the two; 600 by default"},
    "fix_rounds": {"type": "integer", "minimum": 0, "maximum": 10, "description": "Sessions after the first that may repair what the test command complains of; 2 by default"},
    "allow": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Patterns of files that may be changed; all by default"},
    "deny": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Patterns of files that may not be changed, beside the shipped ones"},
    "not_denied": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Shipped patterns, as README.md has them, that are not denied"},
    "most_files": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "Of a change; 50 by default"},
    "most_bytes": {"type": "integer", "minimum": 1024, "maximum": 67108864, "description": "Of its diff; 1 MiB by default"},
    "binaries": {"type": "boolean", "description": "Whether a change may hold files with NUL bytes; false by default"},
    "executables": {"type": "boolean", "description": "Whether files may become executable; false by default"},
    "test_paths": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "Patterns of files that are tests, which may be changed beside those of the plan; by default what the usual tools take for tests"},
    "beyond_plan": {"type": "string", "enum": ["refuse", "mark"], "description": "What becomes of a change to a file that the plan does not name and that is no test: refuse the change, which is the default, or mark the file in the pull request; a repair that nobody approved is refused either way"},
    "keep_plan": {"type": "boolean", "description": "Whether the plan's file stays in the branch; false by default"},
    "ready": {"type": "boolean", "description": "Whether the pull request is taken out of draft once its tests passed; true by default"},
    "next_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "description": "Who looks at the change; code-review-agent by default, empty for nobody"},
    "author": {
      "type": "object", "additionalProperties": false, "required": ["name", "email"],
      "description": "Of commits; davit by default",
      "properties": {
        "name": {"type": "string", "minLength": 1, "description": "As git has it"},
        "email": {"type": "string", "minLength": 1, "description": "As git has it"}
      }
    }
  })");
}

}  // namespace executor
