// How the CLI is started, as values: nothing here starts anything or touches a file.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claude_cli/outcome.h"
#include "claude_cli/settings.h"
#include "davit/agent.hpp"

namespace claude {

// What a session may do. Read: look at files; Change: change them as well; Edit: run commands as well.
enum class Tools { None, Read, Change, Edit };

// One piece of work for the CLI.
struct Session {
  std::string prompt;         // its standard input
  std::string system_prompt;  // beside the CLI's own; may be empty
  std::string schema;         // JSON Schema of the answer, or empty
  std::string session_id;     // a UUID
  Tools tools = Tools::None;
  std::string mcp_config;            // JSON with `mcpServers`, or empty; may hold secrets
  std::filesystem::path work;        // the tree it works in
  std::optional<double> budget_usd;  // what the task has left; settings.max_usd bounds it as well
  std::chrono::milliseconds wall{};  // until it is ended
  davit::Usage before = {};          // of the execution, by earlier sessions: what is reported has it in it
};

// Where the session finds what is no argument, because everybody sees arguments: by its own names for
// folders. An empty path: there is none.
struct SessionFiles {
  std::filesystem::path system_prompt, mcp_config;
};

// What it sees as its world.
struct SessionPlaces {
  std::string path = "/usr/local/bin:/usr/bin:/bin";
  std::filesystem::path home, temporary;
  std::string proxy;  // "http://127.0.0.1:PORT", or empty
};

// A variable's value: of the agent's grants first, then of its environment.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// Throws Failure(InvalidInput) naming what cannot be given to the CLI.
void check(const Session& session);

// All of argv but the program. `session` has been checked.
std::vector<std::string> arguments_for(const Settings& settings, const Session& session,
                                       const SessionFiles& files);

// "NAME=value", all there is: what is not named in `settings` is not passed on, and what is not set is left
// out. Throws Failure(InvalidInput) for a value of several lines, naming the variable and not the value.
std::vector<std::string> environment_for(const Settings& settings, const SessionPlaces& places,
                                         const Lookup& lookup);

// What the end of such a session is judged by.
Asked asked_for(const Settings& settings, const Session& session);

}  // namespace claude
