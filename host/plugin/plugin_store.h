// The content-addressed store of libraries, and the scan of the drop folder that fills it.
//
// The host maps no file of the drop folder: a half-copied, overwritten or re-used path would kill it. A
// settled file is copied once, hashed while copying, and only the copy <sha256>.so is probed and loaded.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/plugin_info.h"
#include "host/plugin/registry.h"

namespace davit::plugin {

// Opens a stored library in a child with a deadline that kills, and tells what it offers or why not. Injected
// by app: isolation::probe.
using Prober = std::function<std::variant<ProbeReport, Refusal>(const std::filesystem::path& stored_file)>;

struct ScanOptions {
  std::filesystem::path drop_folder;
  std::filesystem::path store_folder;       // ours, 0700
  std::vector<std::string> pinned_sha256;   // non-empty: only these hashes are accepted
  std::vector<std::string> allow_writable;  // file names that may be group- or world-writable
  Duration settle{200};                     // a file must be unchanged for this long
};

// Confined to one thread at a time. Remembers probe results by hash, also on disk beside the stored file, so
// that a restart with ten known plugins probes nothing.
class PluginScanner {
 public:
  PluginScanner(ScanOptions options, Prober prober, Log& log, const Clock& clock);

  // Looks at the folder once. Every file of it is in the answer: with a generation, or refused with code,
  // reason and remedy. One bad file never hides another. A file whose bytes are unchanged keeps its
  // generation.
  std::vector<LibraryRecord> scan();

 private:
  ScanOptions options_;
  Prober prober_;
  Log& log_;
  const Clock& clock_;
  std::vector<LibraryRecord> last_;
  std::uint64_t next_generation_ = 1;
};

// Puts libraries and settings together: instances with their states. Creates in-process instances; a config
// that the schema refuses gives BadConfig, never an exception. `previous` lets unchanged instances live on.
std::shared_ptr<const Snapshot> assemble(const std::vector<LibraryRecord>& libraries,
                                         const std::vector<WebhookSettings>& webhooks,
                                         const std::vector<AgentSettings>& agents, const Snapshot& previous,
                                         Log& log, const Clock& clock);

}  // namespace davit::plugin
