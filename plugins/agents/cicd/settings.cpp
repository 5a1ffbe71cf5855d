#include "cicd/settings.h"

#include <cstdint>

#include "agent_config/schema.h"
#include "davit/failure.hpp"

namespace cicd {
namespace {

using davit::Failure;
using davit::JsonView;

std::int64_t number_in(JsonView config, const char* key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) {
  const JsonView value = config[key];
  const std::int64_t number = value.int_or(fallback);
  if ((!value.is_null() && !value.is_int()) || number < least || number > most) {
    throw Failure::invalid_input("config." + std::string(key) + " is from " + std::to_string(least) + " to " +
                                 std::to_string(most));
  }
  return number;
}

}  // namespace

std::vector<std::string> shipped_infra_patterns() {
  return {"the runner has received a shutdown signal",
          "lost communication with the server",
          "the hosted runner encountered an error",
          "an error occurred while provisioning resources",
          "no space left on device",
          "could not resolve host",
          "temporary failure in name resolution",
          "tls handshake timeout",
          "unable to resolve action",
          "failed to download action",
          "toomanyrequests: ",
          "api rate limit exceeded"};
}

Settings Settings::from(JsonView config) {
  Settings settings;
  settings.shared = agent_config::Settings::from(config);
  settings.executor = config["executor"].string_or(settings.executor);
  settings.wait = std::chrono::minutes(number_in(config, "wait_minutes", 30, 1, 55));
  settings.poll = std::chrono::seconds(number_in(config, "poll_seconds", 20, 1, 300));
  settings.settle = std::chrono::seconds(number_in(config, "settle_seconds", 90, 0, 600));
  settings.reruns = static_cast<int>(number_in(config, "reruns", 1, 0, 3));
  settings.max_rounds = static_cast<int>(number_in(config, "max_rounds", 2, 0, 10));
  settings.log_bytes = static_cast<std::size_t>(number_in(config, "log_bytes", 64 * 1024, 1024, 256 * 1024));
  if (const JsonView patterns = config["infra_patterns"]; !patterns.is_null()) {
    settings.infra_patterns.clear();
    for (const JsonView pattern : patterns) {
      if (pattern.string_or("").size() < 4)
        throw Failure::invalid_input("config.infra_patterns: a text of fewer than 4 bytes stands everywhere");
      settings.infra_patterns.emplace_back(pattern.string_or(""));
    }
  }
  return settings;
}

std::string config_schema() {
  return agent_config::schema_of({"gate", "github", "notes"}, R"({
    "executor": {"type": "string", "pattern": "^([a-z][a-z0-9_-]{0,63})?$", "default": "executor-agent",
                 "description": "Agent that repairs what the change broke; empty: nobody"},
    "wait_minutes": {"type": "integer", "minimum": 1, "maximum": 55, "default": 30,
                     "description": "How long checks are waited for, in one execution, reruns included"},
    "poll_seconds": {"type": "integer", "minimum": 1, "maximum": 300, "default": 20,
                     "description": "First pause between two looks; they get longer, up to a minute"},
    "settle_seconds": {"type": "integer", "minimum": 0, "maximum": 600, "default": 90,
                       "description": "How long nothing new may come before the checks that ended count as all there are"},
    "reruns": {"type": "integer", "minimum": 0, "maximum": 3, "default": 1,
               "description": "How often failed jobs of a workflow run are started again"},
    "max_rounds": {"type": "integer", "minimum": 0, "maximum": 10, "default": 2,
                   "description": "How often the executor gets a failure back, in one chain"},
    "infra_patterns": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 4},
                       "description": "Texts in a log, in any case of letters, that speak of the machine and not of the change; in place of the shipped ones"},
    "log_bytes": {"type": "integer", "minimum": 1024, "maximum": 262144, "default": 65536,
                  "description": "Of the ends of the logs that the executor gets, all together"}
  })");
}

}  // namespace cicd
