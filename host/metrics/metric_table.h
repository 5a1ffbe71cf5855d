// The one table of metric names. Names, labels and buckets of the ai_agent_ rows are promised to dashboards
// outside.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace davit::metrics {

enum class MetricKind { Counter, Gauge, Histogram };
std::string_view to_string(MetricKind kind);  // as in a TYPE line

// What a row of the table is called in the code. In the order of the table.
enum class MetricName {
  ExecutionTotal,
  ExecutionDuration,
  CostTotal,
  TokensTotal,
  SessionsActive,
  SessionDuration,
  SuccessRate,
  ChainDepth,
  CostUsdTotal,
  TasksEndedTotal,
  ArtifactsTotal,
  DeliveriesTotal,
  DeliveryRejectionsTotal,
  HookDuration,
  DeliveriesDeferred,
  QueueTasks,
  QueueOldest,
  QueuePaused,
  BudgetLimit,
  BudgetSpent,
  ScheduleFiresTotal,
  ApprovalsTotal,
  ApprovalOldest,
  RemindersTotal,
  RepliesTotal,
  CommitDuration,
  CommitWrites,
  CommitFailuresTotal,
  WritesWaiting,
  PrunedRowsTotal,
  DatabaseBytes,
  DiskFreeBytes,
  Runners,
  RunnerEndsTotal,
  PluginInfo,
  PluginLoadFailuresTotal,
  PluginCrashesTotal,
  PluginQuarantined,
  PluginNotServing,
  HttpRequestsTotal,
  HttpConnections,
  EventStreams,
  EventsTotal,
  EventStreamsEndedTotal,
  BuildInfo,
  Ready,
  ProcessCpuSeconds,
  ProcessResidentBytes,
  ProcessVirtualBytes,
  ProcessOpenFds,
  ProcessMaxFds,
  ProcessStart,
};

struct MetricRow {
  MetricName id;
  MetricKind kind;
  std::string_view name;
  std::string_view help;
  std::vector<std::string_view> labels;
  std::vector<double> buckets;  // of a histogram: upper bounds without +Inf
};

// Indexed by MetricName.
std::span<const MetricRow> metric_table();
const MetricRow& row(MetricName name);

}  // namespace davit::metrics
