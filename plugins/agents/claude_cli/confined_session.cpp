#include "claude_cli/confined_session.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "child_process/child_process.h"
#include "claude_cli/session.h"
#include "davit/failure.hpp"
#include "sandbox/confined.h"
#include "sandbox/host_rules.h"

namespace claude {
namespace {

namespace fs = std::filesystem;
using davit::Failure;

constexpr const char* kSystemPrompt = "system.md";
constexpr const char* kServers = "mcp.json";
constexpr const char* kGateway = "ANTHROPIC_BASE_URL";

std::vector<std::string> texts_of(std::string_view member, davit::JsonView list) {
  const std::string name = "config.sandbox." + std::string(member);
  if (!list.is_array()) throw Failure::invalid_input(name + ": must be a list");
  std::vector<std::string> texts;
  for (const davit::JsonView item : list) {
    if (!item.is_string()) throw Failure::invalid_input(name + ": must be a list of texts");
    texts.emplace_back(item.string_or(""));
  }
  return texts;
}

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path && *path ? path : SessionPlaces().path;
}

// Where it really is. Throws Permanent.
fs::path program_of(const Settings& settings) {
  return fs::canonical(child::find_program(settings.path, search_path(), "config.claude.path"));
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

void add_gateway(std::vector<std::string>& hosts, const Settings& settings, const Lookup& lookup) {
  const auto& passed = settings.pass_environment;
  if (std::find(passed.begin(), passed.end(), kGateway) == passed.end()) return;
  const std::optional<std::string> address = lookup(kGateway);
  if (!address || address->empty()) return;
  const std::optional<std::string> host = host_of(*address);
  if (!host)
    throw Failure::invalid_input(
        std::string("the variable ") + kGateway +
        " must be an address as https://host/path: nothing else is let out of the sandbox");
  hosts.push_back(*host);
}

sandbox::Policy policy_for(const Settings& settings, const Session& session, const Surroundings& surroundings,
                           const fs::path& program) {
  sandbox::Policy policy = surroundings.policy;
  policy.work = session.work;
  policy.network = sandbox::Network::Allowed;
  for (fs::path& path : install_of(program)) policy.read_only.push_back(std::move(path));
  add_gateway(policy.hosts, settings, surroundings.lookup);
  policy.files.clear();
  if (!session.system_prompt.empty()) policy.files[kSystemPrompt] = session.system_prompt;
  if (!session.mcp_config.empty()) policy.files[kServers] = session.mcp_config;
  return policy;
}

std::string line_of(const sandbox::Attempt& attempt) {
  const std::string where =
      attempt.host.empty() ? "something" : attempt.host + ":" + std::to_string(attempt.port);
  return attempt.allowed ? "reached " + where + " (" + attempt.why + ")"
                         : "refused " + where + ": " + attempt.why;
}

}  // namespace

sandbox::Policy policy_from(davit::JsonView config) {
  sandbox::Policy policy;
  policy.hosts = {"api.anthropic.com"};
  if (config.is_null()) return policy;
  if (!config.is_object()) throw Failure::invalid_input("config.sandbox: must be an object");
  for (const auto& [name, value] : config.members()) {
    if (name == "network_hosts") {
      policy.hosts = texts_of(name, value);
      static_cast<void>(sandbox::HostRules(policy.hosts));
    } else if (name == "read_only") {
      for (const std::string& path : texts_of(name, value)) policy.read_only.emplace_back(path);
    } else if (name == "allow_private") {
      if (!value.is_bool())
        throw Failure::invalid_input("config.sandbox.allow_private: must be true or false");
      policy.allow_private = value.bool_or(false);
    } else {
      throw Failure::invalid_input("config.sandbox." + one_line(davit::to_utf8(name), 64) + ": is unknown");
    }
  }
  return policy;
}

std::string lack_of_program(const Settings& settings) {
  try {
    program_of(settings);
    return "";
  } catch (const Failure& failure) {
    return not_installed(failure.what()).why;
  }
}

Outcome run_confined(const Settings& settings, Session session, const Surroundings& surroundings,
                     const davit::Run& run) {
  check(session);
  fs::path program;
  try {
    program = program_of(settings);
  } catch (const Failure& failure) {
    return not_installed(failure.what());
  }
  sandbox::Confined confined(policy_for(settings, session, surroundings, program),
                             [&](const sandbox::Attempt& attempt) {
                               run.transcript("network", surroundings.redact(line_of(attempt)));
                             });
  if (!confined.why_not().empty()) {
    run.transcript("sandbox", confined.why_not());
    run.host().warn(confined.why_not());
    if (session.tools == Tools::Edit) session.tools = Tools::Change;
  }

  const sandbox::View& view = confined.view();
  SessionFiles files;
  if (!session.system_prompt.empty()) files.system_prompt = view.files / kSystemPrompt;
  if (!session.mcp_config.empty()) files.mcp_config = view.files / kServers;
  const Start start{
      .program =
          [&] {
            std::vector<std::string> arguments = arguments_for(settings, session, files);
            arguments.insert(arguments.begin(), program.string());
            return confined.program(
                arguments,
                environment_for(settings,
                                {.home = view.home, .temporary = view.temporary, .proxy = view.proxy},
                                surroundings.lookup));
          },
      .redact = surroundings.redact,
      .answered = surroundings.answered};
  return run_session(settings, session, start, run);
}

std::vector<fs::path> install_of(const fs::path& program) {
  for (const char* folder : {"/usr", "/bin", "/sbin"})
    if (is_below(program, folder)) return {};
  // Of a package in node_modules the file lies in its folder or one or two below.
  constexpr int kMostLevels = 3;
  fs::path folder = program.parent_path();
  for (int level = 0; level < kMostLevels && folder.has_relative_path();
       ++level, folder = folder.parent_path()) {
    std::error_code none;
    if (fs::is_regular_file(folder / "package.json", none)) return {folder};
  }
  return {program};
}

std::optional<std::string> host_of(std::string_view address) {
  constexpr std::string_view kScheme = "https://";
  if (address.size() <= kScheme.size() ||
      !std::equal(kScheme.begin(), kScheme.end(), address.begin(),
                  [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); }))
    return std::nullopt;
  const std::string_view rest = address.substr(kScheme.size());
  const std::string host(rest.substr(0, rest.find_first_of("/?#")));
  sandbox::Destination destination;
  if (!sandbox::read_destination(host, 443, destination)) return std::nullopt;
  return host;
}

}  // namespace claude
