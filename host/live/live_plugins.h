// The plugins of a running host: watches the plugins folder, has what is new probed, and publishes who
// serves.
//
//   folder, command, SIGHUP ──> scan ──> assemble ──> publish ──> whoever listens retires what is obsolete
//                                 ^         ^
//                  probe desk ────┘         └──── trial desk: an instance of a new generation can be created
//
// One thread of its own, which sleeps while nothing changes. What is refused takes nothing from what serves.
// In-process instances are created on it, so that whoever waits for it waits for a plugin's code; that is
// bounded by the watchdog, which ends the host.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
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
#include "host/live/trial_desk.h"
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
  plugin::AgentDefaults agent_defaults;
  plugin::ScanOptions scan;
  bool watch = true;  // false: the folder is looked at when told to
  store::QuarantineRule quarantine;
  Duration probe_deadline{5'000};
  std::uint64_t probe_memory = 1u << 30;
  std::uint64_t runner_memory = 0;  // bytes of address space of a runner, 0: no limit
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
    // Called during start() when a plugin was blamed for that end, the crash is kept, and enough such crashes
    // put it into quarantine.
    std::function<void()> on_blame = [] {};
  };
  // Blames the plugin that brought a former host down, then returns with the first snapshot published. It
  // waits for files to settle and for probes, but no longer than the deadline of a probe, and half a second
  // at most for what nothing in the configuration asks for; two for trials.
  static Result<std::unique_ptr<LivePlugins>> start(const Needs& needs, Wanted wanted);
  ~LivePlugins();

  // Called after each publication, on the own thread, and once now, on the caller's. It must not wait for
  // this object.
  void on_publish(std::function<void()> listener);
  // Nothing is published any more, nobody is called any more but who waits for a rescan, and what ends the
  // process now is no plugin's fault. Does not wait for a plugin. To be called before whoever listens goes;
  // nobody calls a plugin any more when this object ends.
  void stop();

  // Takes over changed settings, all or nothing. `done` gets the reasons why not, one line each, or none; on
  // the own thread, unless it stops before.
  void apply(Wanted wanted, std::function<void(std::vector<std::string> faults)> done);
  // Looks at the folder now, also at what was refused before. `done` is called on the own thread when all
  // that was found has been probed and tried, or when it stops.
  void rescan(std::function<void()> done);

  // Of the audit log, asked for when the write that does it is made: both are one transaction. What is
  // refused before leaves the line to whoever asked.
  using Line = std::function<store::Audited()>;

  // Switches an instance on or off and keeps that over restarts. NotFound if there is no such instance.
  // Waits for the own thread.
  Result<> switch_to(PluginKind kind, const std::string& name, bool on, const Line& line);

  // How many executions the agent may have at one time, 1 to plugin::kMostConcurrency, kept over restarts;
  // nothing: what the configuration says. What runs goes on. NotFound if there is no such agent. Waits for the
  // own thread.
  Result<> set_concurrency(const std::string& agent, std::optional<int> most, const Line& line);

  // Why the plugins folder could not be looked through at the last look; empty: it could.
  std::string folder_trouble() const;

  // A plugin crashed in a runner. Enough of that, and its library is in quarantine.
  void crashed(const store::PluginCrash& crash);
  // The crashes of an instance's library are forgotten: of the one that is there, or of those it had when
  // that is gone. NotFound if there is no such instance. Waits for the own thread.
  Result<> clear(PluginKind kind, const std::string& name, const Line& line);

 private:
  explicit LivePlugins(const Needs& needs, Wanted wanted);
  void blame_for_former_end();
  void blame_for_probes(const std::string& end);
  void let_look_again();
  void open_trail();
  Result<> read_rulings();

  ProbeDesk::Verdict look_at(const std::filesystem::path& stored_file);
  void set_probe_options();
  void watch_folder();
  void scan_soon(Duration delay);
  std::vector<plugin::LibraryRecord> look_through();
  void first_scan();
  void publish_first();
  void scan();
  void plan_next_scan();
  void answer_rescans();
  bool all_wanted_are_there() const;
  std::shared_ptr<const plugin::Snapshot> assembled(const plugin::Snapshot& previous) const;
  void publish(std::shared_ptr<const plugin::Snapshot> snapshot);
  void publish_anew() { publish(assembled(*needs_.registry.current())); }
  void forget_copies_soon();
  void forget_copies();
  void hold_agents(const plugin::Snapshot& snapshot);
  std::vector<std::string> take_over(Wanted wanted);
  Result<> check_known(PluginKind kind, const std::string& name) const;
  Result<> forget_crashes(PluginKind kind, const std::string& name, const Line& line);
  Result<std::set<std::string>> to_clear(PluginKind kind, const std::string& name) const;

  const Needs needs_;
  Guarded<isolation::ProbeOptions> probe_, trial_;  // of the next probes and trials
  // What instances in this process note their calls in outlives them all: the registry's, too, if need be.
  std::unique_ptr<plugin::BreadcrumbFile> trail_;
  std::unique_ptr<plugin::CallWatchdog> watchdog_;
  CrashLedger crashes_;
  UniqueFd stopping_;  // readable once probes shall give up
  // Held while what others gave us is called, so that stop() returns when nobody is any more.
  std::mutex gate_;
  bool closed_ = false;
  std::function<void()> listener_;

  std::unique_ptr<isolation::Loop> loop_;

  // On the loop once it has started.
  Wanted wanted_;
  plugin::Rulings rulings_;
  std::map<std::string, plugin::Quarantined, std::less<>> ended_hosts_;  // by being looked at: by hash
  plugin::Served served_;
  plugin::PluginScanner scanner_;
  std::vector<plugin::LibraryRecord> libraries_;
  Guarded<std::string> folder_trouble_;  // any thread
  std::unique_ptr<FolderWatch> watch_;
  isolation::Loop::TimerId scan_timer_ = 0, retry_timer_ = 0, forget_timer_ = 0;
  MonotonicTime scan_at_{};
  Duration forget_patience_{};                        // before copies in the store are looked at again
  Duration patience_;                                 // before what may pass is looked at again
  std::set<std::string> may_pass_;                    // as of the last plan
  std::vector<std::function<void()>> rescans_;        // to be answered
  std::optional<std::set<std::string>> held_agents_;  // as the store was told last
  bool stopped_ = false;

  std::unique_ptr<ProbeDesk> desk_;  // first to end: what they look at tells the loop
  std::unique_ptr<TrialDesk> trials_;
};

}  // namespace davit::live
