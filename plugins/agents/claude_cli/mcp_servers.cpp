#include "claude_cli/mcp_servers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>

#include "child_process/child_process.h"
#include "claude_cli/confined_session.h"
#include "claude_cli/messages.h"
#include "davit/failure.hpp"

namespace claude {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;

constexpr std::size_t kMostServers = 16;
constexpr std::size_t kMostBytes = 256 * 1024;
constexpr std::size_t kMostText = 4096;
constexpr const char* kKey = "config.claude.mcp_config";

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Failure::invalid_input(std::string(kKey) + (where.empty() ? "" : ": " + where) + ": " + what);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Is a value under such a name one that nobody may see?
bool sounds_secret(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* word : {"token", "key", "secret", "pass", "credential", "auth", "cookie"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

// As whom agents write is for them alone: a session could do with it what the agent may not.
bool is_of_the_agent(std::string_view name) {
  constexpr std::string_view kNames[] = {"github_token", "github_app_key", "jira_token", "sentry_token",
                                         "slack_token"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// Calls `plain` with what stands between, and `name` with each ${NAME}. Throws what those throw; InvalidInput
// for what only begins like one.
template <typename Plain, typename Name>
void take_apart(std::string_view text, const std::string& where, Plain&& plain, Name&& name) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = std::min(text.find("${", at), text.size());
    plain(text.substr(at, begin - at));
    if (begin == text.size()) return;
    const std::size_t end = text.find('}', begin);
    const std::string_view inside =
        end == std::string_view::npos ? "" : text.substr(begin + 2, end - begin - 2);
    if (!is_word(inside))
      refuse(where, "what begins with ${ must be ${NAME}, with the name of a grant of letters, digits and _");
    name(inside);
    at = end + 1;
  }
}

class Reader {
 public:
  McpServers read(JsonView config) {
    if (!config.is_object()) refuse("", "must be an object with mcpServers, or the path of a file with one");
    only(config, "", {"mcpServers"});
    const JsonView servers = config["mcpServers"];
    if (!servers.is_object()) refuse("mcpServers", "must be an object of servers by their names");
    each_once(servers, "mcpServers");
    std::size_t count = 0;
    for (const auto& [name, server] : servers.members()) {
      if (!is_server_name(name))
        refuse("mcpServers", "'" + one_line(davit::to_utf8(name), 64) +
                                 "' is no name of a server: take letters, digits, - and _");
      if (++count > kMostServers) refuse("mcpServers", "has more than " + std::to_string(kMostServers));
      read_server("mcpServers." + std::string(name), server);
    }
    if (count > 0) found_.config = config.dump();
    return std::move(found_);
  }

 private:
  // Of two members of a name we would look at the first, and the CLI would take the last.
  void each_once(JsonView object, const std::string& where) {
    std::set<std::string_view> names;
    for (const auto& [name, value] : object.members()) {
      if (!names.insert(name).second)
        refuse((where.empty() ? "" : where + ".") + one_line(davit::to_utf8(name), 64), "is given twice");
    }
  }

  void only(JsonView object, const std::string& where, std::initializer_list<std::string_view> known) {
    each_once(object, where);
    for (const auto& [name, value] : object.members()) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        refuse((where.empty() ? "" : where + ".") + one_line(davit::to_utf8(name), 64), "is unknown");
    }
  }

  std::string text(JsonView value, const std::string& where) {
    const std::string_view said = value.string_or("");
    const bool control = std::any_of(said.begin(), said.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (!value.is_string() || said.size() > kMostText || control) refuse(where, "must be a text of one line");
    return std::string(said);
  }
  std::string text_without_grants(JsonView value, const std::string& where) {
    std::string said = text(value, where);
    if (said.find("${") != std::string::npos)
      refuse(where, "holds no ${NAME}, for others see it: hand a secret over in env or headers");
    return said;
  }

  void read_server(const std::string& where, JsonView server) {
    if (!server.is_object()) refuse(where, "must be an object");
    const std::string type =
        server.has("type") ? text(server["type"], where + ".type") : std::string("stdio");
    if (type == "stdio") return read_program(where, server);
    if (type == "http" || type == "sse") return read_address(where, server);
    refuse(where + ".type", "must be stdio, http or sse");
  }

  void read_program(const std::string& where, JsonView server) {
    if (server.has("url") && !server.has("type")) refuse(where, "has a url, so its type must be http or sse");
    only(server, where, {"type", "command", "args", "env"});
    const std::string command = text_without_grants(server["command"], where + ".command");
    if (command.empty()) refuse(where + ".command", "must be a program: a name of PATH, or an absolute path");
    if (command.find('/') != std::string::npos) {
      if (command.front() != '/') refuse(where + ".command", "must be a name of PATH, or an absolute path");
      found_.programs.emplace_back(command);
    }
    if (server.has("args") && !server["args"].is_array()) refuse(where + ".args", "must be a list of texts");
    for (const JsonView argument : server["args"]) text_without_grants(argument, where + ".args");
    read_values(where + ".env", server["env"], server.has("env"));
  }

  void read_address(const std::string& where, JsonView server) {
    only(server, where, {"type", "url", "headers"});
    const std::optional<std::string> host = host_of(text_without_grants(server["url"], where + ".url"));
    if (!host)
      refuse(where + ".url", "must be an address as https://host/path: nothing else is let out of the sandbox");
    found_.hosts.push_back(*host);
    read_values(where + ".headers", server["headers"], server.has("headers"));
  }

  void read_values(const std::string& where, JsonView values, bool is_there) {
    if (!is_there) return;
    if (!values.is_object()) refuse(where, "must be an object of texts");
    each_once(values, where);
    for (const auto& [name, value] : values.members()) {
      const std::string place = where + "." + one_line(davit::to_utf8(name), 64);
      std::size_t names = 0;
      take_apart(text(value, place), place, [](std::string_view) {}, [&](std::string_view grant) {
        ++names;
        if (is_of_the_agent(grant))
          refuse(place, std::string(grant) +
                            " is the agent's own and not for a session: grant a secret of its own for it");
        if (std::find(found_.grants.begin(), found_.grants.end(), grant) == found_.grants.end())
          found_.grants.emplace_back(grant);
      });
      if (names == 0 && sounds_secret(name))
        refuse(place, "is a secret by its name, which stands in no config: grant it, and write ${NAME} here");
    }
  }

  McpServers found_;
};

Json json_in(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Failure&) {  // whose message may hold a piece of the text
    refuse(where, "is no JSON");
  }
}

std::string content_of(const std::string& path) {
  if (path.empty() || path.front() != '/') refuse("", "the path of its file must be absolute");
  const child::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about{};
  if (!file.open() || fstat(file.number(), &about) != 0) refuse(path, "cannot be opened");
  if (!S_ISREG(about.st_mode)) refuse(path, "is no file");
  if (about.st_uid != 0 && about.st_uid != geteuid())
    refuse(path, "belongs to another user: give it to root, or to the user that davit runs as");
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    refuse(path, "can be written by others: take that away (chmod go-w)");
  if (about.st_size < 0 || static_cast<std::size_t>(about.st_size) > kMostBytes)
    refuse(path, "is larger than 256 KiB");
  std::string content(kMostBytes + 1, '\0');
  std::size_t size = 0;
  for (ssize_t got = 0; size < content.size(); size += static_cast<std::size_t>(got)) {
    got = read(file.number(), content.data() + size, content.size() - size);
    if (got < 0) refuse(path, "cannot be read");
    if (got == 0) break;
  }
  if (size > kMostBytes) refuse(path, "is larger than 256 KiB");
  content.resize(size);
  return content;
}

}  // namespace

McpServers McpServers::from(JsonView value) {
  if (!value.is_string()) return Reader().read(value);
  const std::string path(value.string_or(""));
  const Json config = json_in(content_of(path), path);
  return Reader().read(config);
}

std::string McpServers::filled(const Lookup& grant) const {
  if (grants.empty()) return config;
  Json whole = Json::parse(config);
  Json servers = Json::object();
  for (const auto& [name, server] : whole["mcpServers"].members()) {
    Json full(server);
    for (const char* member : {"env", "headers"}) {
      if (!server.has(member)) continue;
      Json values = Json::object();
      for (const auto& [key, value] : server[member].members()) {
        std::string text;
        take_apart(
            value.string_or(""), std::string(key), [&](std::string_view plain) { text += plain; },
            [&](std::string_view wanted) {
              const std::optional<std::string> secret = grant(std::string(wanted));
              if (!secret)
                throw Failure::permanent(std::string(kKey) + " names ${" + std::string(wanted) +
                                         "}, which is not granted to this agent");
              text += *secret;
            });
        values.set(key, text);
      }
      full.set(member, std::move(values));
    }
    servers.set(name, std::move(full));
  }
  whole.set("mcpServers", std::move(servers));
  return whole.dump();
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace claude
