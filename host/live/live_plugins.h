// The plugins of a running host: watches the plugins folder, has what is new probed, and publishes who
// serves.
//
//   folder, command, SIGHUP ──> scan ──> assemble ──> publish ──> whoever listens retires what is obsolete
//                                 ^
//                  probe desk ────┘ a verdict came
//
// One thread of its own, which sleeps while nothing changes. What is refused takes nothing from what serves.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/file.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/isolation/loop.h"
#include "host/isolation/probe.h"
#include "host/isolation/process_tree.h"
#include "host/live/crash_ledger.h"
#include "host/live/folder_watch.h"
#include "host/live/probe_desk.h"
#include "host/metrics/metrics.h"
#include "host/plugin/call_watchdog.h"
#include "host/plugin/plugin_store.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::live {

// What the operator wants. Made by app from the configuration.
struct Wanted {
  std::vector<plugin::WebhookSettings> webhooks;
  std::vector<plugin::AgentSettings> agents;
  plugin::ScanOptions scan;
  bool watch = true;  // false: the folder is looked at when told to
  store::QuarantineRule quarantine;
  Duration probe_deadline{5'000};
  std::uint64_t probe_memory = 1u << 30;
  // Says where in the configuration a plugin's schema refuses its settings.
  std::function<std::string(PluginKind kind, const std::string& name, const std::string& pointer,
                            const std::string& sentence)>
      place;
};

// Thread-safe.
class LivePlugins {
 public:
  // What it works with; all of it outlives the LivePlugins.
  struct Needs {
    plugin::Registry& registry;
    store::Store& store;
    isolation::KnownChildren& children;
    metrics::Metrics& metrics;
    Log& log;
    const Clock& clock;
    std::filesystem::path trail;         // file in which calls in this process are noted
    std::optional<int> former_status{};  // how the host before this one ended, as waitpid() says it
  };
  // Blames the plugin that brought a former host down, then returns with the first snapshot published. It
  // waits for files to settle and for probes, but no longer than the deadline of a probe, and for no probe
  // that nothing in the configuration asks for.
  static Result<std::unique_ptr<LivePlugins>> start(const Needs& needs, Wanted wanted);
  ~LivePlugins();

  // Called after each publication, on the own thread, and once now. It must not wait for this object.
  void on_publish(std::function<void()> listener);
  // Nothing is published any more, and what ends the process now is no plugin's fault. To be called before
  // whoever listens goes; nobody calls a plugin any more when this object ends.
  void stop();

  // Takes over changed settings, all or nothing: the reasons why not, one line each, or none.
  std::vector<std::string> apply(Wanted wanted);
  // Looks at the folder now, also at what was refused before. `done` is called on the own thread when all
  // that was found has been probed.
  void rescan(std::function<void()> done);

  // Switches an instance on or off and keeps that over restarts. NotFound if there is no such instance.
  Result<> switch_to(PluginKind kind, const std::string& name, bool on);

  // A plugin crashed in a runner. Enough of that, and its library is in quarantine.
  void crashed(const store::PluginCrash& crash);
  // The library of an instance starts clean. NotFound if there is no such instance.
  Result<> clear(PluginKind kind, const std::string& name);

 private:
  explicit LivePlugins(const Needs& needs, Wanted wanted);
  void open_trail();
  Result<> read_rulings();
  void hold_agents(const plugin::Snapshot& snapshot);
  Result<> keep_switches();

  void set_probe_options();
  void watch_folder();
  void scan_soon(Duration delay);
  void first_scan();
  void scan();
  void plan_next_scan();
  bool all_wanted_are_there() const;
  std::shared_ptr<const plugin::Snapshot> assembled() const;
  void publish(std::shared_ptr<const plugin::Snapshot> snapshot);
  void note_changes(const plugin::Snapshot& before, const plugin::Snapshot& now);
  Result<> check_known(PluginKind kind, const std::string& name) const;

  const Needs needs_;
  Guarded<isolation::ProbeOptions> probe_;  // of the next probes
  // What instances in this process note their calls in outlives them all: the registry's, too, if need be.
  std::unique_ptr<plugin::BreadcrumbFile> trail_;
  std::unique_ptr<plugin::CallWatchdog> watchdog_;
  CrashLedger crashes_;
  UniqueFd stopping_;  // readable once probes shall give up
  std::unique_ptr<isolation::Loop> loop_;

  // On the loop once it has started.
  Wanted wanted_;
  plugin::Rulings rulings_;
  plugin::PluginScanner scanner_;
  std::vector<plugin::LibraryRecord> libraries_;
  std::unique_ptr<FolderWatch> watch_;
  isolation::Loop::TimerId scan_timer_ = 0, retry_timer_ = 0;
  MonotonicTime scan_at_{};
  Duration patience_;  // before what may pass is probed again
  std::vector<std::function<void()>> waiting_for_probes_;
  std::function<void()> listener_;
  std::optional<std::set<std::string>> held_agents_;  // as the store was told last
  bool stopped_ = false;

  std::unique_ptr<ProbeDesk> desk_;  // first to end: its probes tell the loop
};

}  // namespace davit::live
