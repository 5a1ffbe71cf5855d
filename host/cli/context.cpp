#include "host/cli/context.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <istream>
#include <iterator>

#include "host/base/file.h"
#include "host/cli/generated_token.h"

namespace davit::cli {
namespace {

constexpr std::size_t kLargestInput = 64u << 20;

std::string without_line_break(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// A host holds the lock beside its database as long as it lives. A port that a former one left belongs to
// anybody by now, who is not to be sent the token.
bool some_host_runs(const std::filesystem::path& database) {
  const UniqueFd lock(::open((database.string() + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return lock.open() && ::flock(lock.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

std::filesystem::path Context::config_path() const {
  if (!config_option.empty()) return config_option;
  if (const auto named = surroundings.environment("DAVIT_CONFIG"); named && !named->empty()) return *named;
  return "config/davit.yaml";
}

Result<config::Config> Context::config() const {
  config::LoadedConfig loaded = config::load_config(config_path());
  if (loaded.ok()) return std::move(loaded.config);
  std::string message = loaded.messages().front();
  if (const std::size_t more = loaded.mistakes.size() - 1; more > 0)
    message += " (and " + std::to_string(more) + " more; `davit check-config` lists them)";
  return Error{ErrorCode::InvalidInput, message};
}

Result<std::string> Context::base_url(const config::Config& config) const {
  if (!url_option.empty()) return url_option;
  std::string port = std::to_string(config.server.port);
  if (config.server.port == 0) {
    const std::filesystem::path database = config.storage.path;
    const auto left = read_file(database.parent_path() / "port", 16);
    if (!left || !some_host_runs(database))
      return Error{
          ErrorCode::Unavailable,
          "server.port is 0, and no davit that runs has left its port beside the database; start it, or give "
          "--url http://127.0.0.1:PORT"};
    port = without_line_break(*left);
  }
  std::string host = config.server.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (!host.starts_with("127.") && host != "::1")
    return Error{ErrorCode::InvalidInput,
                 "server.host is " + host + ", not this machine's own address; give --url https://…"};
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + port;
}

// From the variables of the configuration, or what the host generated beside its database. None is fine: the
// host says if it wants one.
std::string Context::token(const config::Config& config) const {
  const auto variable = [&](const std::string& name) {
    const auto token = surroundings.environment(name);
    return token ? without_line_break(*token) : std::string();
  };
  if (std::string admin = variable(config.auth.admin_token_env); !admin.empty()) return admin;
  if (auto generated = generated_token(config)) return *generated;
  return variable(config.auth.reader_token_env);
}

Result<ApiClient> Context::client() const {
  const config::Config known = TRY(config());
  return ApiClient::create(TRY(base_url(known)), token(known));
}

Result<JsonDocument> Context::read(const std::string& path) const { return TRY(client()).get(path); }

Result<std::string> Context::read_bytes(const std::string& path) const {
  return TRY(client()).get_bytes(path);
}

Result<JsonDocument> Context::post(const std::string& path, std::string_view body) const {
  return TRY(client()).post(path, body);
}

CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name,
                      const std::string& description, std::function<Result<int>()> action) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->callback([&context, action = std::move(action)] { context.action = action; });
  return command;
}

CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty; leave it out to mean all") : std::string(); }, ""};
}

void add_json_option(CLI::App& command, Context& context) {
  command.add_flag("--json", context.json, "Print JSON, as the API answers it");
}

void add_offline_option(CLI::App& command, Context& context) {
  command.add_flag("--offline", context.offline, "Work on the database itself, while no host runs");
}

Result<std::string> read_input(const Context& context, const std::string& path) {
  if (path != "-") return read_file(path, kLargestInput);
  std::string text{std::istreambuf_iterator<char>(context.surroundings.in), {}};
  if (text.size() > kLargestInput) return Error{ErrorCode::TooLarge, "standard input is larger than 64 MiB"};
  return text;
}

}  // namespace davit::cli
