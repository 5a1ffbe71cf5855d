// What happened, counted for Prometheus. Callers name happenings in their own nouns and never see a
// prometheus type.
//
// Thread-safe. A happening costs a hash and an atomic addition: no lock is shared between series, and nothing
// is allocated once a combination of label values has been seen. Values of a label are bounded: those beyond
// the cap, over 128 bytes or not UTF-8 are counted as "other".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/metrics/metric_table.h"
#include "host/model/plugin_info.h"
#include "host/model/task.h"

namespace davit::metrics {

inline constexpr std::size_t kMaxLabelValues = 64;  // distinct values of one label of one metric
inline constexpr std::size_t kMaxSeries = 512;      // combinations of one metric
inline constexpr std::size_t kSuccessWindow = 100;  // tasks that the success rate looks back on

// The end of one session, as dispatch saw it.
struct SessionEnd {
  std::string_view agent;
  std::string_view task_type;
  std::chrono::microseconds worked{0};   // in the runner
  std::chrono::microseconds session{0};  // from claim to stored result
};

struct QueueCount {
  std::string agent;
  std::string_view state;
  std::int64_t count = 0;
};
struct QueueGauges {
  std::vector<QueueCount> tasks;
  double oldest_seconds = 0;
  double approval_oldest_seconds = 0;
  struct Deferred {
    std::string webhook;
    std::int64_t count = 0;
  };
  std::vector<Deferred> deferred;   // deliveries
  std::vector<std::string> paused;  // agents; empty: all
  struct Budget {
    std::string agent;  // empty: of the day
    double limit_usd = 0, spent_usd = 0;
  };
  std::vector<Budget> budgets;
};
struct RunnerGauges {
  std::int64_t busy = 0;
  std::int64_t idle = 0;
};
struct DatabaseGauges {
  std::int64_t used = 0, free = 0, log = 0;  // bytes
  std::int64_t disk_free = 0;                // bytes
  std::uint64_t failed_commits = 0;
  std::size_t waiting_writes = 0;
};
struct PartGauge {
  std::string part;
  bool ready = false;
};
struct ServingPlugin {
  PluginKind kind = PluginKind::Webhook;
  std::string name, version, sha256;
};
// One that is enabled and does not serve, with its state as `davit plugins list` has it.
struct IdlePlugin {
  PluginKind kind = PluginKind::Webhook;
  std::string name, state;
};

class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();

  // -- deliveries --
  void delivery_decided(std::string_view webhook, std::string_view outcome);
  void delivery_rejected(std::string_view webhook, std::string_view reason);
  void hook_ran(std::string_view webhook, std::string_view hook, std::chrono::microseconds took);

  // -- executions --
  // As the books count them, whoever ended it: a restart goes on from there. `outcome` is that of the row.
  void execution_booked(std::string_view agent, std::string_view outcome, std::string_view task_type,
                        const Usage& usage);
  // These two come in pairs.
  void session_started(std::string_view agent);
  void session_ended(const SessionEnd& end);
  // A task, by its number, came to its end with this agent, perhaps again after somebody retried it; retries
  // in between are not told.
  void task_settled(std::string_view agent, std::int64_t task, bool success);
  void chain_ended(int depth);
  void artifact(std::string_view outcome);  // "kept", "refused" (over a limit) or "failed" (not stored)

  void approval_decided(std::string_view decision, std::string_view way);
  void approval_reminded();
  void reply_ended(std::string_view webhook,
                   std::string_view outcome);  // "sent", "failed", "expired" or "dropped"

  // -- the machine --
  void committed(std::chrono::microseconds took, std::size_t writes);
  void schedule_fired(std::string_view schedule, std::string_view outcome);  // "made" or "skipped"
  void pruned(std::int64_t deliveries, std::int64_t tasks);                  // as many were removed
  void runner_ended(PluginKind kind, std::string_view how);
  void plugins_serving(std::vector<ServingPlugin> plugins);      // replaces those before
  void plugins_quarantined(std::vector<ServingPlugin> plugins);  // likewise
  void plugins_not_serving(std::vector<IdlePlugin> plugins);     // likewise
  void plugin_refused(std::string_view code);
  void plugin_crashed(std::string_view name, std::string_view call);
  void request_answered(std::string_view route, int code);
  void events_sent(std::string_view event, std::size_t count);  // 0 does nothing
  void event_stream_ended(std::string_view how);

  // -- gauges asked at each exposition, on its thread; must be thread-safe and outlive this object. Each may
  // be set by several parts; then their answers add up --
  void ask_queue(std::function<QueueGauges()> ask);
  void ask_runners(std::function<RunnerGauges()> ask);
  void ask_connections(std::function<std::int64_t()> ask);
  void ask_event_streams(std::function<std::int64_t()> ask);
  void ask_database(std::function<DatabaseGauges()> ask);
  void ask_parts(std::function<std::vector<PartGauge>()> ask);

  // -- what the rows know from before a restart, told once at start --
  void restore_executions(std::string_view agent, std::string_view outcome, std::string_view task_type,
                          std::int64_t count);
  void restore_usage(std::string_view agent, const Usage& usage);
  // For the success rate, in the order in which they ended.
  void restore_settled(std::string_view agent, std::int64_t task, bool success);

  // Prometheus text format 0.0.4: every row of the table, also those without a series yet.
  std::string exposition() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace davit::metrics
