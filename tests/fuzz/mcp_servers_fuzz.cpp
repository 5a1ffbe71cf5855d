// config.claude.mcp_config as an operator may write it: read or refused, and filled with secrets.
#include "claude_cli/mcp_servers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "davit/failure.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::Json;
using davit::fuzz::promise;

// Of the characters that JSON and ${NAME} are made of.
constexpr std::string_view kSecret = "s3cr\"t\\${github_token}}";

void check_filled(const claude::McpServers& servers) {
  const Json filled = Json::parse(servers.filled([](const std::string&) { return std::string(kSecret); }));
  const Json config = Json::parse(servers.config);
  for (const auto& [name, server] : config["mcpServers"].members()) {
    const davit::JsonView full = filled["mcpServers"][name];
    for (const char* member : {"type", "command", "url", "args"})
      promise(full[member].dump() == server[member].dump(), "a secret goes into env and headers alone");
    for (const char* member : {"env", "headers"}) {
      for (const auto& [key, value] : server[member].members()) {
        const std::string said(value.string_or(""));
        promise(said.find("${") == std::string::npos
                    ? full[member][key].string_or("") == said
                    : full[member][key].string_or("").find(kSecret) != std::string_view::npos,
                "each grant is filled in once, and nothing else is changed");
      }
    }
  }
  promise(filled["mcpServers"].size() == config["mcpServers"].size(), "no server is lost");
}

void check(const claude::McpServers& servers) {
  promise(!servers.config.empty() ||
              (servers.grants.empty() && servers.hosts.empty() && servers.programs.empty()),
          "without servers there is nothing");
  for (const auto& program : servers.programs) promise(program.is_absolute(), "a program is absolute");
  for (const std::string& host : servers.hosts)
    promise(!host.empty() && host.find_first_of("/@ \n") == std::string::npos, "a host is one");
  for (const std::string& grant : servers.grants) {
    promise(grant != "github_token" && grant != "github_app_key", "nobody gets what is the agent's own");
    promise(std::count(servers.grants.begin(), servers.grants.end(), grant) == 1, "each grant once");
  }
  if (servers.config.empty()) return;
  const Json config = Json::parse(servers.config);
  promise(claude::McpServers::from(config).config == servers.config, "what was read is read again");
  check_filled(servers);
  if (servers.grants.empty()) return;
  try {
    servers.filled([](const std::string&) { return std::optional<std::string>(); });
    promise(false, "without its grants there is no config");
  } catch (const davit::Failure& failure) {
    promise(failure.status() == davit::Status::Permanent, "what is not granted stays so");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<Json> config;
  try {
    config = Json::parse(davit::fuzz::as_text(data, size));
  } catch (const davit::Failure&) {
    return 0;
  }
  if (davit::JsonView(*config).is_string()) return 0;  // the path of a file of this machine
  try {
    check(claude::McpServers::from(*config));
  } catch (const davit::Failure& failure) {
    promise(failure.status() == davit::Status::InvalidInput, "a config is refused for what it is");
    promise(davit::fuzz::is_one_line(failure.what()) && davit::is_utf8(failure.what()),
            "a refusal is one line");
    promise(std::string_view(failure.what()).starts_with("config.claude.mcp_config"),
            "a refusal names its place");
  }
  return 0;
}
