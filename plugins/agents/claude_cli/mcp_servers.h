// The MCP servers that an operator gives to sessions (config.claude.mcp_config): programs that run in the
// sandbox with them, or addresses that they may reach. A tree's own .mcp.json is never read
// (--strict-mcp-config).
//
// Takes the form that the CLI has for --mcp-config (https://code.claude.com/docs/en/mcp), of which it knows
// the members that it lets through and refuses all others. A secret stands in it as ${NAME}, by the name of a
// grant, in env and headers alone: arguments and addresses are seen by others.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "claude_cli/command_line.h"
#include "davit/json.hpp"

namespace claude {

struct McpServers {
  std::string config = {};                            // JSON with `mcpServers`, without secrets; empty: none
  std::vector<std::string> grants = {};               // names that stand in it as ${NAME}, each once
  std::vector<std::string> hosts = {};                // that it leads to, as sandbox::Policy::hosts has them
  std::vector<std::filesystem::path> programs = {};  // that it starts by an absolute path

  // Of an object, or the absolute path of a file with one, which is read now and must be the operator's: of
  // root or this user, and written by nobody else. Throws davit::Failure(InvalidInput) that names the member
  // and never a value.
  static McpServers from(davit::JsonView value);

  // `config` with the grants in their places: for a file that only the session sees. Throws
  // davit::Failure(Permanent) naming a grant that there is not.
  std::string filled(const Lookup& grant) const;
};

// Letters, digits, - and _, at most 64: what a tool's name (mcp__NAME__tool) and a rule about it can hold.
bool is_server_name(std::string_view name);

}  // namespace claude
