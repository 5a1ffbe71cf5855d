// What is wrong with a configuration, and where.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace davit::config {

struct Config;

struct Mistake {
  int line = 0;      // from 1; 0: the file as a whole
  std::string key;   // full path ("server.port"), empty for the file as a whole
  std::string text;  // what is wrong and what to do; never a secret's value
};

// What a plugin's schema says of its `config`, as a mistake in the file. `instance` is the path of what holds
// the config ("webhooks.github"), `pointer` the JSON pointer below it. The line is that of the nearest thing
// above the pointer that stands in the file (`config_lines` as the loader keeps them), at last
// `instance_line`. Steps that are numbers are shown as places in a list: webhooks.github.config.labels[0].
Mistake mistake_in_plugin_config(std::string_view instance, const std::map<std::string, int>& config_lines,
                                 int instance_line, std::string_view pointer, std::string text);

// Likewise of an agent, whose config may have come from agent_defaults: then that is where the mistake is.
Mistake mistake_in_agent_config(const Config& config, const std::string& agent, std::string_view pointer,
                                std::string text);

// "config/davit.yaml:12: server.prot: unknown key; did you mean server.port?"
std::string to_string(std::string_view file, const Mistake& mistake);

}  // namespace davit::config
