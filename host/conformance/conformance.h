// Checks a plugin library from the outside, for its author: no host, no database, no configuration is needed,
// and no code of the plugin runs in this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/base/log.h"
#include "host/conformance/check_child.h"

namespace davit::conformance {

struct ConformanceOptions {
  std::string config;    // JSON object for those that allow it; empty: made up from config_schema
  std::string testdata;  // folder with <name>.delivery.json and <name>.task.json, or empty
  std::string only;      // id of a rule: only the checks that may find it, and only its findings; or empty
  std::uint64_t seed = 1;
  Duration execution{1500};  // of an agent, before it is cancelled
  bool fuzz_all = false;     // all cases of the seed, however long they take: for a replay
  Duration load_deadline{5000};
  Duration deadline{120'000};  // of all together
  ChildOptions child;
  std::vector<std::string> runner_command;  // of the probe; empty: this program
};

struct Report {
  std::filesystem::path file;
  std::uint64_t seed = 0;
  std::vector<std::string> offers;  // "webhook github 1.0.0"
  std::vector<Finding> findings;
  int checks = 0;  // that were run
  // Rules that nobody looked for to the end, because the deadline came or a call was known to hang; by whom
  // they are about, as in Finding.
  std::map<std::string, std::vector<const Rule*>> not_run;
  // False where it could not be loaded, or a config for the hooks is missing: then much was not looked at.
  bool whole = true;
};

// InvalidInput: the options make no sense (config that no offer allows, a folder that is none). Unavailable:
// the checks themselves do not work here. Blocks; the calling process must be a subreaper
// (isolation::become_subreaper).
Result<Report> check_plugin(const std::filesystem::path& file, const ConformanceOptions& options,
                            isolation::KnownChildren& children, Log& log);

}  // namespace davit::conformance
