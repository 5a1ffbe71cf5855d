// How a happening finds its series.
//
// prometheus::Family::Add hashes a map of strings under a lock, too much for what happens thousands of times
// a second. Each family here keeps its series in a table of atomic pointers with open addressing. Series are
// only ever added (their number is capped, so the table never grows) and live as long as the family, so a
// reader needs no lock: it walks from its hash to a match or to an empty place. Only a first sight, or a
// value beyond the cap, takes the family's lock.
#include "host/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "host/base/guarded.h"
#include "host/base/json.h"
#include "host/metrics/process_usage.h"
#include "host/model/model_shares.h"

namespace davit::metrics {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::string_view kUnknownModel = "unknown";
constexpr std::size_t kMaxValueBytes = 128;
constexpr std::size_t kPlaces = 2 * kMaxSeries;  // a power of two; at most half full

using Values = std::span<const std::string_view>;

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::Counter:
      return prometheus::MetricType::Counter;
    case MetricKind::Gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::Histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::MetricFamily empty_family(const MetricRow& row) {
  return {std::string(row.name), std::string(row.help), type_of(row.kind), {}};
}

template <typename Strings>
void label(prometheus::ClientMetric& metric, const MetricRow& row, const Strings& values) {
  for (std::size_t i = 0; i < row.labels.size(); ++i)
    metric.label.push_back({std::string(row.labels[i]), std::string(values[i])});
}

std::size_t hash_of(Values values) {
  std::size_t hash = 0;
  for (std::string_view value : values) hash = hash * 1099511628211u + std::hash<std::string_view>{}(value);
  return hash ^ (hash >> 29);
}

// Thread-safe.
template <typename Metric>
class Family {
 public:
  explicit Family(MetricName name) : row_(row(name)), places_(std::make_unique<Place[]>(kPlaces)) {
    if (row_.labels.empty()) bare_ = &with({});
  }

  Metric& only() { return *bare_; }

  Metric& with(std::initializer_list<std::string_view> values) {
    return with(Values(values.begin(), values.size()));
  }

  prometheus::MetricFamily collect() const {
    prometheus::MetricFamily family = empty_family(row_);
    std::lock_guard lock(mutex_);
    for (const Series& series : series_) {
      prometheus::ClientMetric metric = series.metric.Collect();
      label(metric, row_, series.values);
      family.metric.push_back(std::move(metric));
    }
    return family;
  }

 private:
  struct Series {
    Series(Values seen, const MetricRow& row) : values(seen.begin(), seen.end()), metric(make(row)) {}
    static Metric make(const MetricRow& row) {
      if constexpr (std::is_same_v<Metric, prometheus::Histogram>)
        return Metric(row.buckets);
      else
        return (void)row, Metric();
    }
    const std::vector<std::string> values;
    Metric metric;
  };
  using Place = std::atomic<Series*>;

  // The place of these values, or the empty one where they belong.
  Place& find(Values values) {
    for (std::size_t i = hash_of(values);; ++i) {
      Place& place = places_[i & (kPlaces - 1)];
      Series* series = place.load(std::memory_order_acquire);
      if (!series || std::equal(values.begin(), values.end(), series->values.begin(), series->values.end()))
        return place;
    }
  }

  Metric& with(Values values) {
    if (Series* series = find(values).load(std::memory_order_acquire)) return series->metric;
    return add(values);
  }

  Metric& add(Values values) {
    std::array<std::string_view, 4> bounded;
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < values.size(); ++i) bounded[i] = admit(i, values[i]);
    if (series_.size() + 1 >= kMaxSeries) bounded.fill(kOther);
    Values key(bounded.data(), values.size());
    Place& place = find(key);
    if (Series* series = place.load(std::memory_order_relaxed)) return series->metric;
    Series& series = series_.emplace_back(key, row_);
    place.store(&series, std::memory_order_release);
    return series.metric;
  }

  std::string_view admit(std::size_t index, std::string_view value) {
    if (value.size() > kMaxValueBytes || !is_utf8(value)) return kOther;
    auto& seen = seen_[index];
    if (seen.contains(value)) return value;
    if (seen.size() >= kMaxLabelValues) return kOther;
    seen.emplace(value);
    return value;
  }

  const MetricRow& row_;
  std::unique_ptr<Place[]> places_;
  Metric* bare_ = nullptr;
  mutable std::mutex mutex_;  // guards what follows; readers of places_ need none
  std::deque<Series> series_;
  std::array<std::set<std::string, std::less<>>, 4> seen_;
};

using Counters = Family<prometheus::Counter>;
using Gauges = Family<prometheus::Gauge>;
using Histograms = Family<prometheus::Histogram>;

double seconds(std::chrono::microseconds duration) { return std::chrono::duration<double>(duration).count(); }

void add_value(prometheus::MetricFamily& family, const MetricRow& row, const std::vector<std::string>& values,
               double value) {
  prometheus::ClientMetric metric;
  label(metric, row, values);
  (row.kind == MetricKind::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
}

// A counter that nobody has seen at 0 is not seen to rise: these rise seldom, and alerts look at them.
constexpr std::array<std::string_view, 6> kOutcomes{"queued",   "ignored", "duplicate",
                                                    "deferred", "parked",  "error"};

// As existing boards count executions; the other outcomes keep their names.
std::string_view status_of(std::string_view outcome) { return outcome == "completed" ? "success" : outcome; }

// How the last tasks of one agent ended, each once. More are kept than count, for one that ends again leaves
// a gap.
class Outcomes {
 public:
  void add(std::int64_t task, bool success) {
    std::erase_if(ended_, [&](const auto& ended) { return ended.first == task; });
    ended_.emplace_back(task, success);
    if (ended_.size() > 2 * kSuccessWindow) ended_.pop_front();
  }
  double rate() const {
    const std::size_t count = std::min(ended_.size(), kSuccessWindow);
    const auto good = std::count_if(ended_.end() - static_cast<std::ptrdiff_t>(count), ended_.end(),
                                    [](const auto& ended) { return ended.second; });
    return static_cast<double>(good) / static_cast<double>(count);
  }

 private:
  std::deque<std::pair<std::int64_t, bool>> ended_;  // number of the task; the newest end is the last
};

// Functions asked at each exposition.
struct Asked {
  std::vector<std::function<QueueGauges()>> queue;
  std::vector<std::function<RunnerGauges()>> runners;
  std::vector<std::function<std::int64_t()>> connections, event_streams;
  std::vector<std::function<DatabaseGauges()>> database;
  std::vector<std::function<std::vector<PartGauge>()>> parts;
  std::vector<ServingPlugin> plugins, quarantined;
  std::vector<IdlePlugin> not_serving;
  ProcessUsage process;
};

}  // namespace

struct Metrics::Parts {
  Counters executions{MetricName::ExecutionTotal};
  Histograms execution_seconds{MetricName::ExecutionDuration};
  Counters cost{MetricName::CostTotal};  // in millionths: a sum of whole numbers is the same after a restart
  Counters tokens{MetricName::TokensTotal};
  Gauges sessions_active{MetricName::SessionsActive};
  Histograms session_seconds{MetricName::SessionDuration};
  Gauges success_rate{MetricName::SuccessRate};
  Counters tasks_ended{MetricName::TasksEndedTotal};
  Histograms chain_depth{MetricName::ChainDepth};
  Counters artifacts{MetricName::ArtifactsTotal};
  Counters deliveries{MetricName::DeliveriesTotal};
  Counters rejections{MetricName::DeliveryRejectionsTotal};
  Histograms hook_seconds{MetricName::HookDuration};
  Counters approvals{MetricName::ApprovalsTotal};
  Counters reminders{MetricName::RemindersTotal};
  Counters replies{MetricName::RepliesTotal};
  Histograms commit_seconds{MetricName::CommitDuration};
  Histograms commit_writes{MetricName::CommitWrites};
  Counters schedule_fires{MetricName::ScheduleFiresTotal};
  Counters pruned{MetricName::PrunedRowsTotal};
  Counters runner_ends{MetricName::RunnerEndsTotal};
  Counters load_failures{MetricName::PluginLoadFailuresTotal};
  Counters crashes{MetricName::PluginCrashesTotal};
  Counters requests{MetricName::HttpRequestsTotal};
  Counters events{MetricName::EventsTotal};
  Counters streams_ended{MetricName::EventStreamsEndedTotal};
  Gauges build_info{MetricName::BuildInfo};

  const std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  Guarded<std::map<std::string, Outcomes, std::less<>>> outcomes;
  Guarded<Asked> asked;

  void add_usage(std::string_view agent, const Usage& usage);
  prometheus::MetricFamily collect(const MetricRow& row, const Asked& now) const;
};

// Money is told by model.
void Metrics::Parts::add_usage(std::string_view agent, const Usage& usage) {
  for (const auto& [model, share] : model_shares(usage)) {
    if (share.cost_micro_usd > 0)
      cost.with({agent, model.empty() ? kUnknownModel : std::string_view(model)})
          .Increment(double(share.cost_micro_usd));
  }
  auto add_tokens = [&](std::string_view kind, std::int64_t count) {
    if (count > 0) tokens.with({agent, kind}).Increment(double(count));
  };
  add_tokens("input", usage.input_tokens);
  add_tokens("output", usage.output_tokens);
  add_tokens("cache_read", usage.cache_read_tokens);
  add_tokens("cache_write", usage.cache_write_tokens);
}

Metrics::Metrics(std::string_view version) : parts_(std::make_unique<Parts>()) {
  parts_->build_info.with({version}).Set(1);
}
Metrics::~Metrics() = default;

void Metrics::delivery_decided(std::string_view webhook, std::string_view outcome) {
  parts_->deliveries.with({webhook, outcome}).Increment();
}

void Metrics::delivery_rejected(std::string_view webhook, std::string_view reason) {
  parts_->rejections.with({webhook, reason}).Increment();
}

void Metrics::hook_ran(std::string_view webhook, std::string_view hook, std::chrono::microseconds took) {
  parts_->hook_seconds.with({webhook, hook}).Observe(seconds(took));
}

void Metrics::execution_booked(std::string_view agent, std::string_view outcome, std::string_view task_type,
                               const Usage& usage) {
  parts_->executions.with({agent, status_of(outcome), task_type}).Increment();
  parts_->add_usage(agent, usage);
}

void Metrics::session_started(std::string_view agent) { parts_->sessions_active.with({agent}).Increment(); }

void Metrics::session_ended(const SessionEnd& end) {
  parts_->sessions_active.with({end.agent}).Decrement();
  parts_->execution_seconds.with({end.agent, end.task_type}).Observe(seconds(end.worked));
  parts_->session_seconds.with({end.agent, end.task_type}).Observe(seconds(end.session));
}

void Metrics::task_settled(std::string_view agent, std::int64_t task, bool success) {
  parts_->tasks_ended.with({agent, success ? "completed" : "failed"}).Increment();
  restore_settled(agent, task, success);
}

void Metrics::restore_settled(std::string_view agent, std::int64_t task, bool success) {
  parts_->outcomes.with([&](auto& by_agent) {
    auto found = by_agent.find(agent);
    if (found == by_agent.end()) {
      if (by_agent.size() >= kMaxLabelValues) return;
      found = by_agent.try_emplace(std::string(agent)).first;
    }
    found->second.add(task, success);
    parts_->success_rate.with({agent}).Set(found->second.rate());
  });
}

void Metrics::chain_ended(int depth) { parts_->chain_depth.only().Observe(depth); }

void Metrics::approval_decided(std::string_view decision, std::string_view way) {
  parts_->approvals.with({decision, way}).Increment();
}

void Metrics::approval_reminded() { parts_->reminders.with({}).Increment(); }

void Metrics::reply_ended(std::string_view webhook, std::string_view outcome) {
  parts_->replies.with({webhook, outcome}).Increment();
}

void Metrics::committed(std::chrono::microseconds took, std::size_t writes) {
  parts_->commit_seconds.only().Observe(seconds(took));
  parts_->commit_writes.only().Observe(double(writes));
}

void Metrics::artifact(std::string_view outcome) { parts_->artifacts.with({outcome}).Increment(); }

void Metrics::schedule_fired(std::string_view schedule, std::string_view outcome) {
  parts_->schedule_fires.with({schedule, outcome}).Increment();
}

void Metrics::pruned(std::int64_t deliveries, std::int64_t tasks) {
  parts_->pruned.with({"delivery"}).Increment(static_cast<double>(deliveries));
  parts_->pruned.with({"task"}).Increment(static_cast<double>(tasks));
}

void Metrics::runner_ended(PluginKind kind, std::string_view how) {
  parts_->runner_ends.with({to_string(kind), how}).Increment();
}

void Metrics::plugins_serving(std::vector<ServingPlugin> plugins) {
  for (const ServingPlugin& plugin : plugins) {
    if (plugin.kind == PluginKind::Agent) {
      for (std::string_view state : {"completed", "failed"}) parts_->tasks_ended.with({plugin.name, state});
      continue;
    }
    for (std::string_view outcome : kOutcomes) parts_->deliveries.with({plugin.name, outcome});
  }
  parts_->asked.with([&](Asked& asked) { asked.plugins = std::move(plugins); });
}

void Metrics::plugins_quarantined(std::vector<ServingPlugin> plugins) {
  parts_->asked.with([&](Asked& asked) { asked.quarantined = std::move(plugins); });
}

void Metrics::plugins_not_serving(std::vector<IdlePlugin> plugins) {
  parts_->asked.with([&](Asked& asked) { asked.not_serving = std::move(plugins); });
}

void Metrics::plugin_crashed(std::string_view name, std::string_view call) {
  parts_->crashes.with({name, call}).Increment();
}

void Metrics::plugin_refused(std::string_view code) { parts_->load_failures.with({code}).Increment(); }

void Metrics::request_answered(std::string_view route, int code) {
  std::array<char, 12> digits;
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), code).ptr;
  parts_->requests.with({route, std::string_view(digits.data(), end)}).Increment();
}

void Metrics::events_sent(std::string_view event, std::size_t count) {
  if (count > 0) parts_->events.with({event}).Increment(double(count));
}

void Metrics::event_stream_ended(std::string_view how) { parts_->streams_ended.with({how}).Increment(); }

void Metrics::ask_queue(std::function<QueueGauges()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.queue.push_back(std::move(ask)); });
}
void Metrics::ask_runners(std::function<RunnerGauges()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.runners.push_back(std::move(ask)); });
}
void Metrics::ask_connections(std::function<std::int64_t()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.connections.push_back(std::move(ask)); });
}
void Metrics::ask_event_streams(std::function<std::int64_t()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.event_streams.push_back(std::move(ask)); });
}
void Metrics::ask_database(std::function<DatabaseGauges()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.database.push_back(std::move(ask)); });
}

void Metrics::ask_parts(std::function<std::vector<PartGauge>()> ask) {
  parts_->asked.with([&](Asked& asked) { asked.parts.push_back(std::move(ask)); });
}

void Metrics::restore_executions(std::string_view agent, std::string_view outcome, std::string_view task_type,
                                 std::int64_t count) {
  if (count > 0) parts_->executions.with({agent, status_of(outcome), task_type}).Increment(double(count));
}
void Metrics::restore_usage(std::string_view agent, const Usage& usage) { parts_->add_usage(agent, usage); }

prometheus::MetricFamily Metrics::Parts::collect(const MetricRow& row, const Asked& now) const {
  prometheus::MetricFamily family = empty_family(row);
  switch (row.id) {
    case MetricName::ExecutionTotal:
      return executions.collect();
    case MetricName::ExecutionDuration:
      return execution_seconds.collect();
    case MetricName::CostTotal:
    case MetricName::CostUsdTotal:
      family.metric = cost.collect().metric;
      for (prometheus::ClientMetric& metric : family.metric) metric.counter.value /= 1e6;
      return family;
    case MetricName::TokensTotal:
      return tokens.collect();
    case MetricName::SessionsActive:
      return sessions_active.collect();
    case MetricName::SessionDuration:
      return session_seconds.collect();
    case MetricName::SuccessRate:
      return success_rate.collect();
    case MetricName::TasksEndedTotal:
      return tasks_ended.collect();
    case MetricName::ChainDepth:
      return chain_depth.collect();
    case MetricName::ArtifactsTotal:
      return artifacts.collect();
    case MetricName::DeliveriesTotal:
      return deliveries.collect();
    case MetricName::DeliveryRejectionsTotal:
      return rejections.collect();
    case MetricName::HookDuration:
      return hook_seconds.collect();
    case MetricName::ApprovalsTotal:
      return approvals.collect();
    case MetricName::RemindersTotal:
      return reminders.collect();
    case MetricName::RepliesTotal:
      return replies.collect();
    case MetricName::CommitDuration:
      return commit_seconds.collect();
    case MetricName::CommitWrites:
      return commit_writes.collect();
    case MetricName::ScheduleFiresTotal:
      return schedule_fires.collect();
    case MetricName::PrunedRowsTotal:
      return pruned.collect();
    case MetricName::RunnerEndsTotal:
      return runner_ends.collect();
    case MetricName::PluginLoadFailuresTotal:
      return load_failures.collect();
    case MetricName::PluginCrashesTotal:
      return crashes.collect();
    case MetricName::HttpRequestsTotal:
      return requests.collect();
    case MetricName::EventsTotal:
      return events.collect();
    case MetricName::EventStreamsEndedTotal:
      return streams_ended.collect();
    case MetricName::BuildInfo:
      return build_info.collect();
    case MetricName::QueueTasks: {
      std::map<std::pair<std::string, std::string_view>, std::int64_t> sums;
      std::set<std::string> agents;
      for (const auto& ask : now.queue)
        for (QueueCount& count : ask().tasks) {
          bool known = agents.contains(count.agent) || agents.size() < kMaxLabelValues;
          if (known) agents.insert(count.agent);
          sums[{known ? count.agent : std::string(kOther), count.state}] += count.count;
        }
      for (const auto& [key, sum] : sums)
        add_value(family, row, {key.first, std::string(key.second)}, double(sum));
      return family;
    }
    case MetricName::QueueOldest:
    case MetricName::ApprovalOldest: {
      double oldest = 0;
      for (const auto& ask : now.queue) {
        const QueueGauges gauges = ask();
        oldest = std::max(oldest, row.id == MetricName::QueueOldest ? gauges.oldest_seconds
                                                                    : gauges.approval_oldest_seconds);
      }
      add_value(family, row, {}, oldest);
      return family;
    }
    case MetricName::DeliveriesDeferred: {
      std::size_t shown = 0;
      for (const auto& ask : now.queue) {
        for (const QueueGauges::Deferred& each : ask().deferred) {
          if (++shown > kMaxLabelValues) break;
          add_value(family, row, {each.webhook}, double(each.count));
        }
      }
      return family;
    }
    case MetricName::QueuePaused: {
      std::set<std::string> paused;
      for (const auto& ask : now.queue)
        for (std::string& agent : ask().paused)
          if (paused.size() < kMaxLabelValues) paused.insert(agent.empty() ? "*" : std::move(agent));
      for (const std::string& agent : paused) add_value(family, row, {agent}, 1);
      return family;
    }
    case MetricName::BudgetLimit:
    case MetricName::BudgetSpent: {
      std::size_t shown = 0;
      for (const auto& ask : now.queue) {
        for (const QueueGauges::Budget& budget : ask().budgets) {
          if (++shown > kMaxLabelValues) break;
          add_value(family, row, {budget.agent.empty() ? "day" : "agent", budget.agent},
                    row.id == MetricName::BudgetLimit ? budget.limit_usd : budget.spent_usd);
        }
      }
      return family;
    }
    case MetricName::DatabaseBytes: {
      for (const auto& ask : now.database) {
        const DatabaseGauges bytes = ask();
        add_value(family, row, {"used"}, double(bytes.used));
        add_value(family, row, {"free"}, double(bytes.free));
        add_value(family, row, {"log"}, double(bytes.log));
      }
      return family;
    }
    case MetricName::DiskFreeBytes:
    case MetricName::CommitFailuresTotal:
    case MetricName::WritesWaiting: {
      DatabaseGauges all;
      for (const auto& ask : now.database) {
        const DatabaseGauges one = ask();
        all.disk_free += one.disk_free;
        all.failed_commits += one.failed_commits;
        all.waiting_writes += one.waiting_writes;
      }
      add_value(family, row, {},
                row.id == MetricName::DiskFreeBytes         ? double(all.disk_free)
                : row.id == MetricName::CommitFailuresTotal ? double(all.failed_commits)
                                                            : double(all.waiting_writes));
      return family;
    }
    case MetricName::Ready:
      for (const auto& ask : now.parts)
        for (const PartGauge& part : ask()) add_value(family, row, {part.part}, part.ready ? 1 : 0);
      return family;
    case MetricName::ProcessCpuSeconds:
      add_value(family, row, {}, now.process.cpu_seconds);
      return family;
    case MetricName::ProcessResidentBytes:
      add_value(family, row, {}, double(now.process.resident_bytes));
      return family;
    case MetricName::ProcessVirtualBytes:
      add_value(family, row, {}, double(now.process.virtual_bytes));
      return family;
    case MetricName::ProcessOpenFds:
      add_value(family, row, {}, double(now.process.open_descriptors));
      return family;
    case MetricName::ProcessMaxFds:
      add_value(family, row, {}, double(now.process.most_descriptors));
      return family;
    case MetricName::ProcessStart:
      add_value(family, row, {}, std::chrono::duration<double>(started.time_since_epoch()).count());
      return family;
    case MetricName::Runners: {
      RunnerGauges sum;
      for (const auto& ask : now.runners) {
        RunnerGauges gauges = ask();
        sum.busy += gauges.busy;
        sum.idle += gauges.idle;
      }
      add_value(family, row, {"busy"}, double(sum.busy));
      add_value(family, row, {"idle"}, double(sum.idle));
      return family;
    }
    case MetricName::PluginInfo:
    case MetricName::PluginQuarantined:
      for (const ServingPlugin& plugin : row.id == MetricName::PluginInfo ? now.plugins : now.quarantined)
        add_value(family, row,
                  {std::string(to_string(plugin.kind)), plugin.name, plugin.version, plugin.sha256}, 1);
      return family;
    case MetricName::PluginNotServing:
      for (const IdlePlugin& plugin : now.not_serving)
        add_value(family, row, {std::string(to_string(plugin.kind)), plugin.name, plugin.state}, 1);
      return family;
    case MetricName::HttpConnections:
    case MetricName::EventStreams: {
      std::int64_t sum = 0;
      for (const auto& ask : row.id == MetricName::HttpConnections ? now.connections : now.event_streams)
        sum += ask();
      add_value(family, row, {}, double(sum));
      return family;
    }
  }
  return family;
}

std::string Metrics::exposition() const {
  // A copy, so that what is asked may take its time without holding the lock.
  Asked now = parts_->asked.with([](const Asked& asked) { return asked; });
  // Each is asked once, for all that it tells.
  for (auto& ask : now.queue) ask = [answer = ask()] { return answer; };
  for (auto& ask : now.database) ask = [answer = ask()] { return answer; };
  now.process = process_usage();
  std::vector<prometheus::MetricFamily> families;
  for (const MetricRow& row : metric_table()) families.push_back(parts_->collect(row, now));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace davit::metrics
