// Opening an unknown library, and creating an instance for the first time, in a child that may die.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/isolation/process_tree.h"
#include "host/isolation/runner_spec.h"
#include "host/model/plugin_info.h"

namespace davit::isolation {

struct ProbeOptions {
  std::vector<std::string> runner_command;  // default: /proc/self/exe with the internal mode
  Duration deadline{5000};                  // then the child is killed: refused as "probe_timeout"
  // Address space of the child (not under sanitizers); 0: no limit. What has taken a quarter of it when the
  // deadline comes is refused for that, as "probe_memory".
  std::uint64_t memory_limit = 1u << 30;
  // Folders whose files the child cannot read, but the one it looks at (file_fence.h).
  std::vector<std::filesystem::path> hidden;
  int stop_fd = -1;  // once readable, the child is killed: refused as "probe_failed"
};

// Starts a runner in scan mode on the stored file and waits. Refusals: constructor_threw, constructor_crashed
// and metadata_crashed (with the signal), probe_exited (with the status), probe_timeout, probe_memory,
// foreign_descriptors (the library wrote to or closed what it did not open), probe_failed (the probe itself
// did not work), and those the loader itself gives (no_factory, abi_too_new, bad_metadata, …:
// plugin/refusal_codes.h). There is no fallback: what cannot be probed is refused. Blocks the calling thread;
// not for I/O threads. From any thread.
//
// What a library offers is its own word, and its code runs in the process that tells it: one that looks
// through the memory of that process can tell it in davit's place. It gains nothing that its metadata
// functions would not get it, since a report is checked here as they are; what it does at work it answers
// for there.
std::variant<ProbeReport, Refusal> probe(const std::filesystem::path& stored_file,
                                         const ProbeOptions& options, KnownChildren& children, Log& log);

// Creates an instance once, in a runner that is used for nothing else, and destroys it again. Nullopt if that
// works, else a sentence why not: in the plugin's words where it has some, otherwise how the runner ended or
// that the deadline came. The memory limit is that of the spec's runners (0: none). Blocks and kills as
// probe() does.
std::optional<std::string> try_out(const RunnerSpec& spec, const ProbeOptions& options,
                                   KnownChildren& children, Log& log);

}  // namespace davit::isolation
