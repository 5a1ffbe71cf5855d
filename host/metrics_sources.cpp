#include "host/metrics_sources.h"

#include <algorithm>

#include "host/base/file.h"

namespace davit {

Result<> restore_metrics(const store::Store& store, metrics::Metrics& metrics) {
  const History history = TRY(store.history());
  for (const History::Executions& each : history.executions)
    metrics.restore_executions(each.agent, each.outcome, each.task_type, each.count);
  for (const History::Spent& each : history.spent) metrics.restore_usage(each.agent, each.usage);
  for (const auto& [agent, outcomes] : history.outcomes)
    for (const History::Outcome& each : outcomes) metrics.restore_settled(agent, each.task, each.good);
  return {};
}

void ask_store(metrics::Metrics& metrics, store::Store& store, const std::filesystem::path& state_folder,
               const Clock& clock) {
  metrics.ask_queue([&store, &clock] {
    metrics::QueueGauges gauges;
    auto report = store.queue();
    if (!report) return gauges;
    for (const store::QueueDepth& depth : report->depths) {
      gauges.tasks.push_back({depth.agent, to_string(depth.state), depth.count});
    }
    for (const auto& [webhook, count] : report->deferred) gauges.deferred.push_back({webhook, count});
    for (const store::Pause& pause : report->pauses) gauges.paused.push_back(pause.agent);
    for (const store::BudgetLine& line : report->budgets) {
      if (line.scope == "actor") continue;  // as many as there are people
      gauges.budgets.push_back({line.key, static_cast<double>(line.limit) / 1e6,
                                static_cast<double>(line.spent + line.in_flight) / 1e6});
    }
    // A clock may have been set back.
    const auto seconds_since = [&clock](WallTime then) {
      return std::max(0.0, static_cast<double>((clock.wall() - then).count()) / 1000.0);
    };
    if (report->oldest_queued) gauges.oldest_seconds = seconds_since(*report->oldest_queued);
    if (report->oldest_asked) gauges.approval_oldest_seconds = seconds_since(*report->oldest_asked);
    return gauges;
  });
  metrics.ask_database([&store, state_folder] {
    metrics::DatabaseGauges gauges;
    if (const auto size = store.database_size())
      gauges = {.used = size->used, .free = size->free, .log = size->log};
    if (const auto free = free_bytes(state_folder)) gauges.disk_free = static_cast<std::int64_t>(*free);
    const store::WriterStats stats = store.writer_stats();
    gauges.failed_commits = stats.failed_commits;
    gauges.waiting_writes = stats.waiting;
    return gauges;
  });
}

}  // namespace davit
