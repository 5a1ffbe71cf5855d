// Nothing of the tree may speak before the model does: no settings of any place are read
// (--setting-sources=), which takes hooks and helpers with it, no MCP server but those given
// (--strict-mcp-config), and what is not allowed is denied without a question (dontAsk). --bare would do as
// well, but knows neither Grep nor Glob nor OAuth tokens.
#include "claude_cli/command_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "claude_cli/mcp_servers.h"
#include "davit/failure.hpp"

namespace claude {
namespace {

using davit::Failure;
using davit::Json;

constexpr std::size_t kMostPrompt = 10'000'000;  // the CLI refuses more on its standard input
constexpr std::size_t kMostArgument = 100'000;   // the system refuses 128 KiB in one

std::vector<std::string> tools_of(Tools tools) {
  switch (tools) {
    case Tools::None:
      return {};
    case Tools::Read:
      return {"Read", "Grep", "Glob"};
    case Tools::Change:
      return {"Read", "Grep", "Glob", "Edit", "Write"};
    case Tools::Edit:
      break;
  }
  return {"Read", "Grep", "Glob", "Edit", "Write", "Bash"};
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  return list;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

std::vector<std::string> servers_of(const Session& session) {
  std::vector<std::string> names;
  if (session.mcp_config.empty()) return names;
  const Json config = Json::parse(session.mcp_config);
  for (const auto& [name, server] : config["mcpServers"].members()) names.emplace_back(name);
  return names;
}

constexpr double kLeastDollars = 0.0001;

// The same in every locale, and rounded down.
std::string dollars(double amount) {
  std::array<char, 64> text{};
  const double whole_parts = std::floor(amount / kLeastDollars + 1e-6);
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), whole_parts * kLeastDollars,
                                          std::chars_format::fixed, 4);
  return error == std::errc() ? std::string(text.data(), end) : "0";
}

void check_json(const std::string& text, const char* what) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Failure& failure) {
    throw Failure::invalid_input(std::string("the session's ") + what + " cannot be read: " + failure.what());
  }
  if (!json.is_object()) throw Failure::invalid_input(std::string("the session's ") + what + " is no object");
}

}  // namespace

void check(const Session& session) {
  if (!is_uuid(session.session_id)) throw Failure::invalid_input("the session's id is no UUID");
  if (session.prompt.empty()) throw Failure::invalid_input("the session has no prompt");
  if (session.prompt.size() > kMostPrompt)
    throw Failure::invalid_input("the session's prompt has more than 10 MB: the CLI refuses it");
  if (session.budget_usd && !(*session.budget_usd >= kLeastDollars))
    throw Failure::invalid_input("the session has no money left");
  if (!session.schema.empty()) check_json(session.schema, "schema");
  if (session.schema.size() > kMostArgument)
    throw Failure::invalid_input(
        "the session's schema has more than 100 kB: it does not fit into an argument");
  if (session.schema.find('\0') != std::string::npos)
    throw Failure::invalid_input("the session's schema holds a zero byte");
  if (session.mcp_config.empty()) return;
  check_json(session.mcp_config, "MCP configuration");
  for (const std::string& name : servers_of(session)) {
    if (!is_server_name(name))
      throw Failure::invalid_input("the session's MCP server '" + one_line(name, 64) +
                                   "' needs a name of letters, digits, - and _");
  }
}

std::vector<std::string> arguments_for(const Settings& settings, const Session& session,
                                       const SessionFiles& files) {
  // --include-partial-messages: lines come while the model writes, so that silence means something, and only
  // they say what an answer used before the session's result does.
  std::vector<std::string> arguments = {"-p",
                                        "--output-format=stream-json",
                                        "--verbose",
                                        "--include-partial-messages",
                                        "--session-id=" + session.session_id,
                                        "--no-session-persistence",
                                        "--setting-sources=",
                                        "--strict-mcp-config",
                                        "--permission-mode=dontAsk"};
  const std::vector<std::string> tools = tools_of(session.tools);
  std::vector<std::string> allowed = tools;
  for (const std::string& server : servers_of(session)) allowed.push_back("mcp__" + server);
  arguments.push_back("--tools=" + joined(tools));
  if (!allowed.empty()) arguments.push_back("--allowedTools=" + joined(allowed));
  if (!settings.model.empty()) arguments.push_back("--model=" + settings.model);
  if (!settings.fallback_model.empty()) arguments.push_back("--fallback-model=" + settings.fallback_model);
  arguments.push_back("--max-turns=" + std::to_string(settings.max_turns));
  arguments.push_back("--max-budget-usd=" +
                      dollars(std::min(settings.max_usd, session.budget_usd.value_or(settings.max_usd))));
  if (!session.schema.empty()) arguments.push_back("--json-schema=" + session.schema);
  if (!files.system_prompt.empty())
    arguments.push_back("--append-system-prompt-file=" + files.system_prompt.string());
  if (!files.mcp_config.empty()) arguments.push_back("--mcp-config=" + files.mcp_config.string());
  return arguments;
}

std::vector<std::string> environment_for(const Settings& settings, const SessionPlaces& places,
                                         const Lookup& lookup) {
  // SUBPROCESS_ENV_SCRUB would have the CLI make a sandbox of its own for commands, for which it wants socat,
  // runs none without, and leaves empty files (.env, package.json, ...) in the tree.
  const std::string home = places.home.string();
  std::vector<std::string> environment = {"PATH=" + places.path,
                                          "LANG=C.UTF-8",
                                          "HOME=" + home,
                                          "TMPDIR=" + places.temporary.string(),
                                          "CLAUDE_CONFIG_DIR=" + (places.home / ".claude").string(),
                                          "DISABLE_AUTOUPDATER=1",
                                          "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
                                          "CLAUDE_CODE_SUBPROCESS_ENV_SCRUB=0"};
  if (!places.proxy.empty()) environment.push_back("HTTPS_PROXY=" + places.proxy);
  for (const std::string& name : settings.pass_environment) {
    const std::optional<std::string> value = lookup(name);
    if (!value || value->empty()) continue;
    if (value->find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos)
      throw Failure::invalid_input("the variable " + name + " has more than one line");
    environment.push_back(name + "=" + *value);
  }
  return environment;
}

Asked asked_for(const Settings& settings, const Session& session) {
  return {.tools = tools_of(session.tools),
          .servers = servers_of(session),
          .schema = !session.schema.empty(),
          .max_turns = settings.max_turns,
          .min_version = settings.min_version};
}

}  // namespace claude
