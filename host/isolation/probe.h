// Opening an unknown library in a child that may die.
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/model/plugin_info.h"

namespace davit::isolation {

struct ProbeOptions {
  std::vector<std::string> runner_command;  // default: /proc/self/exe with the internal mode
  Duration deadline{5000};                  // then the child is killed: refused as "probe_timeout"
  std::uint64_t memory_limit = 1u << 30;    // address space of the child
};

// Starts a runner in scan mode on the stored file and waits. Refusals: probe_crashed (with the signal),
// probe_exited (with the status), probe_timeout, probe_memory, and those the loader itself gives (no_factory,
// abi_too_new, bad_metadata, …). Blocks the calling thread; not for I/O threads.
std::variant<ProbeReport, Refusal> probe(const std::filesystem::path& stored_file,
                                         const ProbeOptions& options, Log& log);

}  // namespace davit::isolation
