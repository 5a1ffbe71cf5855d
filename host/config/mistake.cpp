#include "host/config/mistake.h"

#include <cstdio>
#include <utility>

#include "host/config/config.h"

namespace davit::config {
namespace {

// The key path that a JSON pointer is to people.
std::string key_path(std::string_view pointer) {
  std::string path;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    if (!step.empty() && step.find_first_not_of("0123456789") == std::string_view::npos) {
      path += "[" + std::string(step) + "]";
      continue;
    }
    path += '.';
    for (std::size_t i = 0; i < step.size(); ++i) {
      const bool escape = step[i] == '~' && i + 1 < step.size();
      path += !escape ? step[i] : step[++i] == '1' ? '/' : '~';
    }
  }
  return path;
}

}  // namespace

Mistake mistake_in_plugin_config(std::string_view instance, const std::map<std::string, int>& config_lines,
                                 int instance_line, std::string_view pointer, std::string text) {
  if (!pointer.starts_with('/')) pointer = {};
  Mistake mistake{instance_line, std::string(instance) + ".config" + key_path(pointer), std::move(text)};
  for (std::string_view above = pointer;; above = above.substr(0, above.rfind('/'))) {
    if (const auto found = config_lines.find(std::string(above)); found != config_lines.end()) {
      mistake.line = found->second;
      break;
    }
    if (above.empty()) break;
  }
  return mistake;
}

Mistake mistake_in_agent_config(const Config& config, const std::string& agent, std::string_view pointer,
                                std::string text) {
  const auto own = config.agents.find(agent);
  const AgentDefaultsConfig& defaults = config.agent_defaults;
  const std::string member(pointer.substr(0, pointer.find('/', 1)));
  const bool is_own = own != config.agents.end() && own->second.config_lines.contains(member);
  if (!is_own && pointer.starts_with('/') && defaults.config_lines.contains(member))
    return mistake_in_plugin_config("agent_defaults", defaults.config_lines, defaults.line, pointer,
                                    "for " + agent + ": " + std::move(text));
  if (own == config.agents.end()) return {0, "agents." + agent, std::move(text)};
  return mistake_in_plugin_config("agents." + agent, own->second.config_lines, own->second.line, pointer,
                                  std::move(text));
}

// A quoted key or value of YAML may hold any character; a mistake is one line all the same.
std::string to_string(std::string_view file, const Mistake& mistake) {
  std::string line(file);
  if (mistake.line > 0) line += ":" + std::to_string(mistake.line);
  line += ": ";
  if (!mistake.key.empty()) line += mistake.key + ": ";
  line += mistake.text;
  std::string shown;
  for (const char c : line) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    shown += static_cast<unsigned char>(c) < 0x20 ? std::string(escape) : std::string(1, c);
  }
  return shown;
}

}  // namespace davit::config
