#include "code_review/settings.h"

#include <cstdint>

#include "agent_config/schema.h"
#include "davit/failure.hpp"

namespace review {
namespace {

using davit::Failure;
using davit::JsonView;

std::int64_t number_in(JsonView config, const char* key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) {
  const JsonView value = config[key];
  const std::int64_t number = value.int_or(fallback);
  if ((!value.is_null() && !value.is_int()) || number < least || number > most)
    throw Failure::invalid_input("config." + std::string(key) + ": must be a whole number from " +
                                 std::to_string(least) + " to " + std::to_string(most));
  return number;
}

bool asks_for_changes(JsonView event) {
  if (event.is_null() || event == "COMMENT") return false;
  if (event == "REQUEST_CHANGES") return true;
  throw Failure::invalid_input("config.event: must be COMMENT or REQUEST_CHANGES; nothing is ever approved");
}

std::optional<Severity> threshold_in(JsonView name) {
  if (name.is_null()) return Severity::High;
  if (name == "never") return std::nullopt;
  const std::optional<Severity> severity = severity_of(name.string_or(""));
  if (!severity) throw Failure::invalid_input("config.block_at: must be high, medium, low or never");
  return severity;
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings{.shared = agent_config::Settings::from(config)};
  settings.most_comments = static_cast<int>(number_in(config, "most_comments", 20, 0, 50));
  settings.requests_changes = asks_for_changes(config["event"]);
  settings.max_diff_bytes =
      static_cast<std::size_t>(number_in(config, "max_diff_bytes", 400 * 1024, 1024, 2 << 20));
  for (const JsonView login : config["skip_authors"]) settings.skip_authors.emplace_back(login.string_or(""));
  settings.forks = config["forks"].bool_or(settings.forks);
  settings.block_at = threshold_in(config["block_at"]);
  settings.max_rounds = static_cast<int>(number_in(config, "max_rounds", 2, 0, 10));
  settings.executor = config["executor"].string_or(settings.executor);
  settings.next_agent = config["next_agent"].string_or(settings.next_agent);
  return settings;
}

std::string config_schema() {
  return agent_config::schema_of({"github", "git", "claude", "sandbox", "skills", "gate", "finish_seconds"},
                                 R"({
    "most_comments": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Most comments at lines, the worst first; what is beyond stands in the review's text. 20 by default"},
    "event": {"type": "string", "enum": ["COMMENT", "REQUEST_CHANGES"], "description": "What a review with findings that block is; COMMENT by default. Nothing is ever approved, and of its own pull requests it requests no changes"},
    "max_diff_bytes": {"type": "integer", "minimum": 1024, "maximum": 2097152, "description": "Most bytes of the diff that the model is shown; of a larger one the largest files are left out, by name. 409600 by default"},
    "skip_authors": {"type": "array", "maxItems": 1000, "items": {"type": "string", "minLength": 1}, "description": "Logins of authors whose pull requests are not reviewed when an event of GitHub asks for it"},
    "forks": {"type": "boolean", "description": "Whether a branch of another repository is reviewed when somebody asks who may write to this one; false by default"},
    "block_at": {"type": "string", "enum": ["high", "medium", "low", "never"], "description": "The least severity that gives a planned change back to the executor; high by default"},
    "max_rounds": {"type": "integer", "minimum": 0, "maximum": 10, "description": "How often the executor gets a change back in one chain, by reviews and failed checks together; 2 by default, the same as of cicd-agent"},
    "executor": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "description": "Agent that repairs what blocks; executor-agent by default, empty for nobody"},
    "next_agent": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "description": "Who goes on in a chain; cicd-agent by default, empty for nobody"}
  })");
}

}  // namespace review
