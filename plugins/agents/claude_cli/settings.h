// What a user may say about the CLI in an agent's config, under `claude`:
//
//   path                  "claude", or an absolute path
//   model, fallback_model names as the CLI takes them; absent: its own choice
//   pass_environment      names of variables it gets: its key, a gateway, a cloud
//   max_turns             1 to 1000, default 120; a skill may say fewer
//   max_usd               most that one session may cost, default 2
//   idle_seconds          longest silence, default 420: the CLI notices a dead connection by itself after 300
//   start_seconds         until its first line, default 90
//   result_grace_seconds  from its result to its end, default 10
//   min_version           default "2.1.0"
//   mcp_config            as mcp_servers.h says, and read by that
//   prices                {model prefix: {input, output, cache_read, cache_write}}, USD per million tokens
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"

namespace claude {

// US dollars per million tokens.
struct Price {
  double input = 0, output = 0, cache_read = 0, cache_write = 0;
};

// By prefix of the model's name, from "claude-" on; the longest that fits counts.
using Prices = std::map<std::string, Price>;

// What estimates are made of while a session runs; its result brings the CLI's own figure.
Prices usual_prices();

struct Settings {
  std::string path = "claude";
  std::string model, fallback_model;
  std::vector<std::string> pass_environment;
  int max_turns = 120;
  double max_usd = 2;
  std::chrono::seconds idle{420}, start{90}, result_grace{10};
  std::string min_version = "2.1.0";
  Prices prices = usual_prices();  // those of the config beside and before the usual ones

  // Throws Failure(InvalidInput) that names the member. An absent `config` gives the defaults.
  static Settings from(davit::JsonView config);
};

// Is "2.1.197 (Claude Code)" at least "2.1.0"? What is no version is not.
bool at_least(std::string_view version, std::string_view least);

}  // namespace claude
