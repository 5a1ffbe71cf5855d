// What the API sends: openapi.ts is made from host/http/openapi.json (`npm run api`), here are its names as the dashboard uses them. Absent texts are
// null; times are ISO 8601 in UTC.
import type { AuditOutcome, BulkAction, CostGroup, Plugin, Series, SeriesMetric as AnySeries, TaskStatus, Verdict } from "./openapi";

export type {
  AccessToken,
  Agent,
  AgentStats,
  Approvals,
  Artifacts,
  AuditEntry,
  AuditPage,
  BulkAction,
  BulkOutcome,
  BulkPreview,
  ChainLink,
  Chains,
  CostGroup,
  CostLine,
  Costs,
  Decision,
  Decisions,
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  Execution,
  Json,
  Link,
  Outcome,
  Overview,
  Plugin,
  Queue,
  QueueBucket,
  QueueCounts,
  QueueSeries,
  Refusals,
  Rehearsal,
  Series,
  Sums,
  Task,
  TaskDetail,
  TaskPage,
  TaskStatus,
  TestOutcome,
  Transcript,
  TranscriptLine,
  Usage,
  Verdict,
  Webhook,
} from "./openapi";

// Of an instance or of a file that was refused.
export type PluginState = Plugin["state"];

// All of them, in the order in which they are shown: a record, so that none can be missing.
const everyStatus: Record<TaskStatus, true> = {
  queued: true,
  running: true,
  awaiting_approval: true,
  completed: true,
  failed: true,
  cancelled: true,
  parked: true,
};
export const taskStatuses = Object.keys(everyStatus) as TaskStatus[];

const everyGroup: Record<CostGroup, true> = { agent: true, day: true, task_type: true, model: true, source: true };
export const costGroups = Object.keys(everyGroup) as CostGroup[];

const everyVerdict: Record<Verdict, true> = { queued: true, ignored: true, error: true, deferred: true, parked: true };
export const verdicts = Object.keys(everyVerdict) as Verdict[];

const everyOutcome: Record<AuditOutcome, true> = {
  begun: true,
  done: true,
  refused: true,
  failed: true,
  denied: true,
};
export const auditOutcomes = Object.keys(everyOutcome) as AuditOutcome[];

const everyAction: Record<BulkAction, true> = { cancel: true, retry: true, approve: true, reject: true };
export const bulkActions = Object.keys(everyAction) as BulkAction[];

// Of those that the API knows.
export const seriesMetrics = ["executions", "tasks", "cost"] as const satisfies readonly AnySeries[];
export type SeriesMetric = (typeof seriesMetrics)[number];

const everyBucket: Record<Series["bucket"], true> = { hour: true, day: true };
export type SeriesBucket = Series["bucket"];
export const seriesBuckets = Object.keys(everyBucket) as SeriesBucket[];
