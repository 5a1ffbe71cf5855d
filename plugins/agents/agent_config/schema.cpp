#include "agent_config/schema.h"

#include "actor_gate/settings.h"
#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_account/settings.h"
#include "source_note/settings.h"

namespace agent_config {
namespace {

using davit::Failure;
using davit::Json;

constexpr std::string_view kGit = R"({
  "type": "object",
  "description": "Branches and copies of repositories",
  "additionalProperties": false,
  "properties": {
    "prefix": {"type": "string", "description": "Of each branch that is pushed; davit/ by default. Nothing else is ever pushed"},
    "mirror_bytes": {"type": "integer", "minimum": 1048576, "description": "Of a repository larger than this only the last commit is fetched; 4 GiB by default"},
    "tree_bytes": {"type": "integer", "minimum": 1048576, "description": "Largest tree that is worked on; 2 GiB by default"}
  }
})";

constexpr std::string_view kClaude = R"({
  "type": "object",
  "description": "The model's program, Claude Code, and what a session may cost",
  "additionalProperties": false,
  "properties": {
    "path": {"type": "string", "description": "A name that is looked for in PATH, or an absolute path; claude by default"},
    "model": {"type": "string", "description": "As the program takes it; by default its own choice"},
    "fallback_model": {"type": "string", "description": "When the model is overloaded"},
    "pass_environment": {
      "type": "array", "items": {"type": "string"},
      "description": "Names of variables it gets, of the grants first, then of the environment; by default ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, ANTHROPIC_BASE_URL and CLAUDE_CODE_OAUTH_TOKEN. A session can read them: use a key with a limit of its own"
    },
    "max_turns": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Most turns of a session, where its skill does not say fewer: the lesser of the two counts; 120 by default, as much as any shipped skill says"},
    "max_usd": {"type": "number", "minimum": 0.01, "description": "Most US dollars that a session may cost; 2 by default"},
    "idle_seconds": {"type": "integer", "minimum": 1, "description": "Longest silence; 420 by default"},
    "start_seconds": {"type": "integer", "minimum": 1, "description": "Until its first line; 90 by default"},
    "result_grace_seconds": {"type": "integer", "minimum": 1, "description": "From its result to its end; 10 by default"},
    "mcp_config": {
      "description": "MCP servers for its sessions, as the program takes them: {\"mcpServers\": {name: {command, args, env} or {type: http, url, headers}}}, or the absolute path of a file of yours with that. Secrets in env and headers stand as ${NAME}, by the name of a grant of this agent. Servers by address must be https, and their hosts are reachable then; programs run in the sandbox. A repository's own .mcp.json is never read",
      "type": ["object", "string"], "pattern": "^/",
      "additionalProperties": false, "required": ["mcpServers"],
      "properties": {"mcpServers": {
        "type": "object", "maxProperties": 16,
        "additionalProperties": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "type": {"type": "string", "enum": ["stdio", "http", "sse"]},
            "command": {"type": "string"}, "args": {"type": "array", "items": {"type": "string"}},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "url": {"type": "string", "pattern": "^https://"},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}}
          }
        }
      }}
    },
    "min_version": {"type": "string", "description": "Oldest version that is taken; 2.1.0 by default"},
    "prices": {
      "type": "object",
      "description": "US dollars per million tokens by prefix of the model's name, for estimates while a session runs",
      "additionalProperties": {
        "type": "object", "additionalProperties": false, "required": ["input", "output"],
        "properties": {
          "input": {"type": "number", "minimum": 0}, "output": {"type": "number", "minimum": 0},
          "cache_read": {"type": "number", "minimum": 0}, "cache_write": {"type": "number", "minimum": 0}
        }
      }
    }
  }
})";

constexpr std::string_view kSandbox = R"({
  "type": "object",
  "description": "What a session sees beside its tree",
  "additionalProperties": false,
  "properties": {
    "network_hosts": {"type": "array", "items": {"type": "string"}, "description": "Hosts it may reach, name or name:port or *.name; api.anthropic.com by default"},
    "read_only": {"type": "array", "items": {"type": "string"}, "description": "Folders it may look at beside /usr, by absolute paths"},
    "allow_private": {"type": "boolean", "description": "Whether those hosts may have addresses of private networks or of this machine; false by default"}
  }
})";

constexpr std::string_view kSkills = R"({
  "type": "object",
  "description": "What models are told",
  "additionalProperties": false,
  "properties": {
    "directory": {"type": "string", "description": "Absolute path of a folder whose files take the place of the skills that come along, by name"}
  }
})";

constexpr std::string_view kFinish = R"({
  "type": "integer", "minimum": 1, "maximum": 3600,
  "description": "Seconds before the agent's time is over at which a session is ended, so that there is time to push and to tell; 60 by default"
})";

std::string_view schema_of_block(std::string_view name) {
  if (name == "github") return github::kSettingsSchema;
  if (name == "git") return kGit;
  if (name == "claude") return kClaude;
  if (name == "sandbox") return kSandbox;
  if (name == "skills") return kSkills;
  if (name == "gate") return gate::kSchema;
  if (name == "notes") return note::kSchema;
  if (name == "finish_seconds") return kFinish;
  throw Failure::internal("there is no block " + std::string(name) + " in the config of agents");
}

}  // namespace

std::vector<std::string_view> all_blocks() {
  return {"github", "git", "claude", "sandbox", "skills", "gate", "notes", "finish_seconds"};
}

std::string schema_of(const std::vector<std::string_view>& blocks, std::string_view own) {
  Json properties = Json::object();
  for (const std::string_view block : blocks) properties.set(block, Json::parse(schema_of_block(block)));
  const Json more = Json::parse(own);
  for (const auto& [name, schema] : more.members()) properties.set(name, Json(schema));
  Json all = Json::object({{"type", "object"}, {"additionalProperties", false}});
  all.set("properties", std::move(properties));
  return all.dump();
}

}  // namespace agent_config
