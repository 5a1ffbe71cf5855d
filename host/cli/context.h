// What the commands share: options that all have, the configuration, and the roads to the host and the
// database.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/json.h"
#include "host/base/result.h"
#include "host/cli/api_client.h"
#include "host/cli/commands.h"
#include "host/config/config_file.h"

namespace davit::cli {

// Confined to the thread that runs the command.
class Context {
 public:
  explicit Context(const Surroundings& given) : surroundings(given) {}

  const Surroundings& surroundings;
  std::string config_option;  // --config
  std::string url_option;     // --url
  bool offline = false;       // --offline
  bool json = false;          // --json
  // The exit code of an action that fails; opening the database has more than one.
  mutable int exit_on_failure = kExitFailed;
  // What the chosen command does; its value is the exit code.
  std::function<Result<int>()> action;

  std::filesystem::path config_path() const;
  // The configuration, or the first mistake with a hint at the others.
  Result<config::Config> config() const;

  // A client for the host that the options and the configuration name, with the token for it.
  Result<ApiClient> client() const;

  // The JSON of a GET. Unavailable (and only then) means that no host runs.
  Result<JsonDocument> read(const std::string& path) const;
  // The bytes of a GET, likewise.
  Result<std::string> read_bytes(const std::string& path) const;
  // The JSON answer of a POST.
  Result<JsonDocument> post(const std::string& path, std::string_view body) const;

 private:
  Result<std::string> base_url(const config::Config& config) const;
  std::string token(const config::Config& config) const;
};

// Adds a command; `action` runs once everything is parsed.
CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name,
                      const std::string& description, std::function<Result<int>()> action);
// For an option or argument that narrows down what is done: if it is empty, as a variable that is not set is, it would
// stand for all.
CLI::Validator not_empty();
// --json, for lists and details.
void add_json_option(CLI::App& command, Context& context);
// --offline, for what changes something.
void add_offline_option(CLI::App& command, Context& context);

// One file per group.
void add_init(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_check_config(CLI::App& app, Context& context);
void add_plugins(CLI::App& app, Context& context);
void add_plugins_new(CLI::App& plugins, Context& context);
void add_plugins_check(CLI::App& plugins, Context& context);
void add_tasks(CLI::App& app, Context& context);
void add_task_records(CLI::App& tasks, Context& context);
void add_queue(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_deliveries(CLI::App& app, Context& context);
void add_send(CLI::App& app, Context& context);
void add_database(CLI::App& app, Context& context);
void add_reload(CLI::App& app, Context& context);
void add_token(CLI::App& app, Context& context);
void add_audit(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

// An argument that is a file's path, or "-" for standard input. At most 64 MiB.
Result<std::string> read_input(const Context& context, const std::string& path);

}  // namespace davit::cli
