#include "host/metrics/metric_table.h"

namespace davit::metrics {

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::Counter:
      return "counter";
    case MetricKind::Gauge:
      return "gauge";
    case MetricKind::Histogram:
      return "histogram";
  }
  return "untyped";
}

std::span<const MetricRow> metric_table() {
  using enum MetricKind;
  using enum MetricName;
  static const std::vector<MetricRow> table{
      {ExecutionTotal,
       Counter,
       "ai_agent_execution_total",
       "Agent executions that ended, by status.",
       {"agent", "status", "task_type"},
       {}},
      {ExecutionDuration,
       Histogram,
       "ai_agent_execution_duration_seconds",
       "Time an agent worked on one execution.",
       {"agent", "task_type"},
       {30, 60, 120, 300, 600, 1200, 1800, 3600}},
      {CostTotal,
       Counter,
       "ai_agent_cost_total_usd",
       "Cost in US dollars by agent and model.",
       {"agent", "model"},
       {}},
      {TokensTotal,
       Counter,
       "ai_agent_tokens_total",
       "Tokens by agent and kind (input, output, cache_read, cache_write).",
       {"agent", "token_type"},
       {}},
      {SessionsActive, Gauge, "ai_agent_sessions_active", "Agent sessions that run now.", {"agent"}, {}},
      {SessionDuration,
       Histogram,
       "ai_agent_session_duration_seconds",
       "Time of an agent session from its claim to its stored result.",
       {"agent", "task_type"},
       {60, 300, 600, 1200, 1800, 3600, 7200}},
      {SuccessRate,
       Gauge,
       "ai_agent_task_success_rate",
       "Share of an agent's last 100 tasks that succeeded, 0 to 1.",
       {"agent"},
       {}},
      {ChainDepth,
       Histogram,
       "ai_agent_chain_depth",
       "Agents in a chain that ended.",
       {},
       {1, 2, 3, 4, 5, 10}},
      {DeliveriesTotal,
       Counter,
       "davit_deliveries_total",
       "Verified deliveries by outcome (queued, ignored, duplicate, deferred, parked, error).",
       {"webhook", "outcome"},
       {}},
      {DeliveryRejectionsTotal,
       Counter,
       "davit_delivery_rejections_total",
       "Requests to a webhook that were refused.",
       {"webhook", "reason"},
       {}},
      {HookDuration,
       Histogram,
       "davit_hook_duration_seconds",
       "Time of one hook of a webhook.",
       {"webhook", "hook"},
       {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3}},
      {QueueTasks,
       Gauge,
       "davit_queue_tasks",
       "Tasks that are not final, by agent and state.",
       {"agent", "state"},
       {}},
      {QueueOldest,
       Gauge,
       "davit_queue_oldest_seconds",
       "Age of the oldest queued task that is due; 0 when none is.",
       {},
       {}},
      {CommitDuration,
       Histogram,
       "davit_commit_duration_seconds",
       "Time of one commit of the store with its sync.",
       {},
       {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5}},
      {CommitWrites,
       Histogram,
       "davit_commit_writes",
       "Writes that shared one commit.",
       {},
       {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}},
      {Runners, Gauge, "davit_runners", "Runner processes by state (busy, idle).", {"state"}, {}},
      {RunnerEndsTotal,
       Counter,
       "davit_runner_ends_total",
       "Calls that cost their runner, by plugin kind and how.",
       {"kind", "how"},
       {}},
      {PluginInfo,
       Gauge,
       "davit_plugin_info",
       "1 for each plugin that serves.",
       {"kind", "name", "version", "sha256"},
       {}},
      {PluginLoadFailuresTotal,
       Counter,
       "davit_plugin_load_failures_total",
       "Libraries that were refused, by code.",
       {"code"},
       {}},
      {HttpRequestsTotal,
       Counter,
       "davit_http_requests_total",
       "HTTP requests answered, by route and status.",
       {"route", "code"},
       {}},
      {HttpConnections, Gauge, "davit_http_connections", "HTTP connections that are open.", {}, {}},
      {BuildInfo, Gauge, "davit_build_info", "1, with the version of this program.", {"version"}, {}},
  };
  return table;
}

const MetricRow& row(MetricName name) { return metric_table()[static_cast<std::size_t>(name)]; }

}  // namespace davit::metrics
