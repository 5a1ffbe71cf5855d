// What the API sends, as host/http/json.cpp and stats_json.cpp write it. Absent texts are null; times are ISO 8601 in UTC.

export const taskStatuses = [
  "queued",
  "running",
  "awaiting_approval",
  "completed",
  "failed",
  "cancelled",
  "parked",
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export interface Task {
  task_id: string;
  status: TaskStatus;
  source: string;
  current_agent: string;
  task_type: string;
  title: string;
  entity: string | null;
  priority: number;
  attempt: number;
  max_retries: number;
  crashes: number;
  losses: number;
  error: string | null;
  hold_reason: string | null;
  resume_at: string | null;
  created_at: string;
  updated_at: string;
  run_at: string;
  finished_at: string | null;
  current_session_id: string | null;
  parent_id: string | null;
  root_id: string | null;
  chain_depth: number;
  total_cost_usd: number;
  total_tokens_used: number;
}

export interface TaskPage {
  tasks: Task[];
  next_cursor: string | null;
}

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  total_cost_usd: number;
}

export type Outcome =
  | "running"
  | "completed"
  | "failed"
  | "crashed"
  | "timed_out"
  | "cancelled"
  | "lost"
  | "interrupted"
  | "over_budget"
  | "approval_refused";

export interface Execution extends Usage {
  agent_name: string;
  session_id: string;
  attempt: number;
  started_at: string;
  completed_at: string | null;
  duration_seconds: number | null;
  success: boolean;
  outcome: Outcome;
  error_class: string | null;
  error: string | null;
  cost_is_estimate: boolean;
  model_used: string | null;
  models: Record<string, Usage>;
  output: Json;
  next_agent: string | null;
  progress: number | null;
  progress_message: string | null;
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface ChainLink {
  task_id: string;
  parent_id: string | null;
  agent: string;
  status: TaskStatus;
  chain_depth: number;
  created_at: string;
  finished_at: string | null;
  total_cost_usd: number;
  total_tokens_used: number;
}

export interface Decision {
  at: string;
  kind: string;
  by: string | null;
  actor_id: string | null;
  way: string | null;
  comment: string | null;
  content_hash: string | null;
}

export interface Link {
  rel: string;
  key: string;
  url: string;
}

export interface TaskDetail extends Task {
  payload: Json;
  previous_result: Json;
  result: Json;
  actor: { id: string; login: string; role: string } | null;
  links: Link[];
  also: string[];
  delivery_id: string | null;
  agent_executions: Execution[];
  chain_agents: string[];
  chain_tasks: number;
  chain_cost_usd: number;
  chain_tokens: number;
  chain: ChainLink[];
  rework: number;
  approval: {
    content_hash: string;
    asked_at: string;
    deadline: string | null;
    next_at: string | null;
    reminders: number;
  } | null;
  decisions: Decision[];
}

export interface TranscriptLine {
  number: number;
  at: string | null;
  kind: string;
  line: string;
}

export interface Transcript {
  task_id: string;
  executions: {
    session_id: string;
    agent_name: string;
    completed_at: string | null;
    truncated: boolean;
    lines: TranscriptLine[];
  }[];
}

export interface Artifacts {
  artifacts: {
    session_id: string;
    agent_name: string;
    attempt: number;
    name: string;
    content_type: string;
    bytes: number;
    sha256: string;
  }[];
}

export type PluginState = "serving" | "disabled" | "quarantined" | "refused" | (string & {});

export interface Agent {
  name: string;
  display_name: string;
  description: string;
  version: string;
  capabilities: string[];
  enabled: boolean;
  state: PluginState;
  reason: string | null;
  override: "enabled" | "disabled" | null;
  max_retries: number;
  max_crashes: number;
  timeout_seconds: number;
  requires_approval: boolean;
  concurrency: number;
  generation: number | null;
  sha256: string | null;
  source: string | null;
  loaded_at: string | null;
}

export interface Webhook {
  name: string;
  plugin: string;
  endpoint: string;
  enabled: boolean;
  state: PluginState;
  reason: string | null;
  override: "enabled" | "disabled" | null;
  isolation: "inprocess" | "process";
  answer_within_ms: number;
  max_body_bytes: number;
  secrets: number;
  event_header: string | null;
  delivery_id_header: string | null;
  metadata: Json;
}

export interface Plugin {
  kind: "webhook" | "agent" | "library";
  name: string;
  version: string | null;
  generation: number | null;
  serving_generation?: number | null;
  sha256: string | null;
  source: string | null;
  loaded_at: string | null;
  isolation: "inprocess" | "process" | null;
  state: PluginState;
  reason: string | null;
  override: "enabled" | "disabled" | null;
  refusal: { code: string; reason: string } | null;
}

export interface Sums {
  executions: number;
  total_duration_seconds: number;
  total_cost_usd: number;
  total_tokens: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

export interface AgentStats extends Sums {
  agent: string;
  outcomes: Partial<Record<Outcome, number>>;
  success_rate: number | null;
  success_rate_tasks: number;
  avg_duration_seconds: number | null;
  p50_duration_seconds: number | null;
  p95_duration_seconds: number | null;
  duration_tasks: number;
}

export const costGroups = ["agent", "day", "task_type", "model", "source"] as const;
export type CostGroup = (typeof costGroups)[number];

export interface CostLine extends Sums {
  group: string | null;
}

export interface Costs {
  group_by: CostGroup;
  start_date: string;
  end_date: string;
  costs: CostLine[];
  total_cost_usd: number;
}

export interface ChainPattern {
  count: number;
  avg_duration: number | null;
  success_rate: number | null;
  total_cost_usd: number;
}

export interface Overview {
  since: string;
  total_tasks: number;
  success_rate: number | null;
  total_cost: number;
  avg_duration: number | null;
  total_tokens: number;
  total_executions: number;
  queue: { queued: number; running: number; awaiting_approval: number; parked: number };
}

export interface Queue {
  paused: boolean;
  agents: {
    agent: string;
    paused: boolean;
    queued: number;
    running: number;
    awaiting_approval: number;
    parked: number;
  }[];
  oldest_due_at: string | null;
  pauses: { agent: string | null; since: string; until: string | null; reason: string | null; by: string }[];
  budgets: {
    scope: string;
    key: string | null;
    limit_usd: number;
    spent_usd: number;
    reserved_usd: number;
    resumes_at: string | null;
  }[];
  schedules: {
    name: string;
    agent: string;
    cron: string;
    next_at: string | null;
    last_at: string | null;
    last_task_id: string | null;
  }[];
}

export const verdicts = ["queued", "ignored", "error", "deferred", "parked"] as const;
export type Verdict = (typeof verdicts)[number];

export interface Delivery {
  delivery_id: string;
  webhook: string;
  delivery_key: string;
  request_id: string;
  remote_address: string;
  verdict: Verdict;
  message: string;
  entity: string | null;
  received_at: string;
  body_bytes: number;
  duplicates: number;
  same_body: number;
  replay_of: string | null;
  tries: number;
  task_ids: string[];
}

export interface DeliveryPage {
  deliveries: Delivery[];
  next_cursor: string | null;
}

export interface DeliveryDetail extends Delivery {
  method: string;
  path: string;
  query: string;
  headers: Json;
  body: string | null;
  timings: Json;
  details: Json;
  plugin_sha256: string | null;
  plugin_version: string | null;
  secret_number: number | null;
  links: Link[];
  replayed_by: string | null;
}

export interface Refusals {
  causes: { webhook: string; cause: string; count: number; first_at: string; last_at: string }[];
}

export interface Rehearsal {
  dry_run: true;
  verdict: Verdict;
  message: string;
  tasks: { agent: string; title: string; task_type: string; requires_approval: boolean; payload: Json }[];
  actions: { action: string; task_id: string | null; entity: string | null; agent: string | null }[];
  details: Json;
}
