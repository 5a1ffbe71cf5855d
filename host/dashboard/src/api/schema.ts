// What the API sends: openapi.ts is made from host/http/openapi.json (`npm run api`), here are its names as the dashboard uses them. Absent texts are
// null; times are ISO 8601 in UTC.
import type { AuditOutcome, CostGroup, Plugin, TaskStatus, Verdict } from "./openapi";

export type {
  Agent,
  AgentStats,
  Artifacts,
  AuditEntry,
  AuditPage,
  ChainLink,
  ChainPattern,
  CostGroup,
  CostLine,
  Costs,
  Decision,
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
  Refusals,
  Rehearsal,
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

const everyOutcome: Record<AuditOutcome, true> = { done: true, refused: true, failed: true, denied: true };
export const auditOutcomes = Object.keys(everyOutcome) as AuditOutcome[];
