// The content-addressed store of libraries, and the scan of the drop folder that fills it.
//
// The host maps no file of the drop folder: a half-copied, overwritten or re-used path would kill it. A
// settled file is copied once, hashed while copying, and only the copy <sha256>.so is probed and loaded.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/plugin_info.h"
#include "host/plugin/registry.h"

namespace davit::plugin {

class LibraryStore;

// Opens a stored library in a child with a deadline that kills, and tells what it offers or why not:
// isolation::probe. May also answer `probing` (refusal_codes.h) and be asked again when it knows.
using Prober = std::function<std::variant<ProbeReport, Refusal>(const std::filesystem::path& stored_file)>;

struct ScanOptions {
  std::filesystem::path drop_folder;
  std::filesystem::path store_folder;      // ours, 0700
  std::vector<std::string> pinned_sha256;  // non-empty: only these hashes are accepted
  // Names of files (and of the drop folder or a folder in it) that may be group- or world-writable.
  std::vector<std::string> allow_writable;
  Duration settle{200};  // a file must be unchanged for this long
};

// Confined to one thread at a time. Remembers probe results by hash, also on disk beside the stored file, so
// that a restart with ten known plugins probes nothing. What the bytes were refused for is remembered by hash
// until the next start; what may pass (refusal_codes.h) is tried again with the next scan.
class PluginScanner {
 public:
  PluginScanner(ScanOptions options, Prober prober, Log& log, const Clock& clock);

  // Looks at the folder and the folders in it once. Every *.so of it is in the answer, ordered by path: with
  // a generation, or refused with code, reason and remedy. One bad file never hides another. A file whose
  // bytes are unchanged keeps its generation; one whose new bytes are refused keeps the old generation and
  // has the refusal beside it. Of two files that offer the same name, the one accepted first keeps it. If the
  // folder is gone or cannot be looked through (no descriptor left, say), the answer is that of the last
  // scan.
  std::vector<LibraryRecord> scan();

  // scan(), and while files are not settled up to `looks` times more, `settle` apart. Blocks that long.
  std::vector<LibraryRecord> scan_settled(int looks);

  // True while a file of the last scan was not settled or failed for a reason that may pass: scan again soon.
  bool unfinished() const;
  // False if the last scan could not look through the folder.
  bool saw_folder() const { return unseen_.empty(); }
  const std::string& why_unseen() const { return unseen_; }  // empty: it could

  // Its writer closed this file or renamed it into place: the next scan takes it as it is then, without
  // waiting for it to settle.
  void finished(const std::filesystem::path& file);
  // What the bytes were refused for is looked at anew with the next scan.
  void forget_refusals() { refused_bytes_.clear(); }
  // Copies that are not whole any more are made again, by the next scan, from the files that they are of.
  // Reads all of them.
  void check_copies();
  // Removes from the store what nobody needs: no file of the last scan, nobody who holds a generation that
  // came from here. Copies with one of these hashes stay as well. It reads names only. True if a copy is
  // there for nobody but who holds its generation: ask again.
  bool forget_unused(const std::set<std::string>& also_needed = {});
  // A generation of an earlier life from its copy in the store; null if that is gone, is damaged, is not
  // among the pinned ones, or would be refused by now.
  std::shared_ptr<const Generation> kept(const std::string& sha256);
  // The same, as what the file of this path in the drop folder gave last: should that be refused as it is
  // now, this one goes on serving. Before the first scan.
  std::shared_ptr<const Generation> resume(const std::filesystem::path& name, const std::string& sha256);
  // From the next scan on. A generation that new pins exclude does not survive it.
  void set_options(ScanOptions options);

 private:
  // What tells a changed file without reading it.
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  // What is remembered of one path between scans.
  struct Known {
    Identity identity;
    MonotonicTime first_seen{};  // with this identity
    bool is_finished = false;    // so said its writer, of this identity
    std::string sha256;          // of the bytes that `identity` was read with, if they were
    std::filesystem::path stored;
    std::shared_ptr<const Generation> generation;  // the newest healthy one
    std::string shown_refusal;                     // code that was logged
  };
  struct Found {
    std::filesystem::path path;
    std::optional<Refusal> refusal;  // of its place
    std::size_t left_out = 0;        // it stands for so many that are not looked at
  };

  std::shared_ptr<Generation> stored_generation(const std::string& sha256);  // null as of kept(); no source
  // All that are there, or an error: what is missing may be there then all the same.
  Result<std::vector<Found>> find_files() const;
  std::optional<Refusal> refuse_mode(const std::filesystem::path& path, uid_t owner, mode_t mode) const;
  void look_at(LibraryStore& store, const std::filesystem::path& path, Known& known, LibraryRecord& record);
  bool is_quiet_for(Duration least, const Known& known) const;
  std::optional<Refusal> examine(LibraryStore& store, const std::filesystem::path& source, Known& known);
  void log_changes(const LibraryRecord& record, Known& known, bool is_new_generation);

  ScanOptions options_;
  Prober prober_;
  Log& log_;
  const Clock& clock_;
  std::map<std::filesystem::path, Known> known_;
  std::set<std::filesystem::path> finished_;
  std::map<std::string, Refusal, std::less<>> refused_bytes_;  // by hash
  std::vector<LibraryRecord> last_;
  std::vector<std::weak_ptr<const Generation>> given_;  // to whoever asked
  bool too_many_ = false;                               // were there at the last scan
  std::string unseen_;                                  // why the last scan could not look through the folder
  std::uint64_t next_generation_ = 1;
};

// Asked about instances that run in processes of their own, before one of a new generation takes the place of
// one that serves.
class Trials {
 public:
  virtual ~Trials() = default;
  // Empty if it can be created, else a sentence why not. Nullopt while that is being tried: assemble again
  // when it is known.
  virtual std::optional<std::string> of(const Webhook& webhook) = 0;
  virtual std::optional<std::string> of(const Agent& agent) = 0;
};

// What served last, and can serve again.
struct Served {
  using Generations = std::map<std::string, std::vector<std::shared_ptr<const Generation>>, std::less<>>;
  Generations webhooks, agents;              // by instance, of each the newest first
  std::map<std::string, std::string> files;  // hash of what a file gave last, by path in the plugins folder
};

// Puts libraries and settings together: instances with their states. Creates in-process instances; a config
// that the schema refuses gives BadConfig, never an exception. `previous` lets unchanged instances live on.
// What a library offers and no setting names is there with defaults (isolation: process; the metadata's
// `enabled`). A generation that is in quarantine, or new and refuses its settings or cannot be created,
// leaves its place to the last one that served, with the reason in that one's state_reason. Rulings are what
// was decided while running. Without trials nothing is tried. The trail, if given, outlives every instance.
struct Assembly {
  const std::vector<LibraryRecord>& libraries;
  const std::vector<WebhookSettings>& webhooks;
  const std::vector<AgentSettings>& agents;
  const Snapshot& previous;
  const Rulings& rulings;
  const Served& served;
  Log& log;
  const Clock& clock;
  Breadcrumb* trail = nullptr;
  Trials* trials = nullptr;
  const AgentDefaults* agent_defaults = nullptr;
};
std::shared_ptr<const Snapshot> assemble(const Assembly& assembly);

}  // namespace davit::plugin
