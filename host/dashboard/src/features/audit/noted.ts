// What the audit log may hold, to choose from: what is loaded of it is only what the filter lets through.
import type { operations } from "../../api/openapi";

// Of the operations of the API, whether they need somebody with a name: a record, so that none can be missing.
const needsName: Record<keyof operations, boolean> = {
  receiveDelivery: false,
  greetWebhook: false,
  getHealth: false,
  getReadiness: false,
  getMetrics: true,
  getOpenApi: true,
  reload: true,
  listTasks: true,
  getTask: true,
  getTranscript: true,
  listArtifacts: true,
  getArtifact: true,
  createTask: true,
  retryTasks: true,
  cancelTask: true,
  retryTask: true,
  approveTask: true,
  rejectTask: true,
  listDeliveries: true,
  getDelivery: true,
  listRefusedDeliveries: true,
  replayDelivery: true,
  listAgents: true,
  listWebhooks: true,
  listPlugins: true,
  rescanPlugins: true,
  enablePlugin: true,
  disablePlugin: true,
  clearPlugin: true,
  getQueue: true,
  pauseQueue: true,
  resumeQueue: true,
  getOverview: true,
  getAgentStats: true,
  getCosts: true,
  getChains: true,
  signIn: true,
  getSession: true,
  signOut: true,
  listTokens: true,
  createToken: true,
  revokeToken: true,
  listAudit: true,
  listApprovals: true,
  listDecisions: true,
  exportTasksCsv: true,
  exportTasksNdjson: true,
  exportCosts: true,
  getSeries: true,
  getQueueSeries: true,
  previewTasksBulk: true,
  actOnTasksBulk: true,
  streamEvents: true,
  testWebhook: true,
  setConcurrency: true,
  clearConcurrency: true,
};

const operationNames = Object.entries(needsName).flatMap(([name, needs]) => (needs ? [name] : []));

// The two of the configuration, which are in no list of tokens.
const configured = ["admin", "reader"];

// Each once and in order.
function known(...lists: readonly (readonly (string | null)[])[]): string[] {
  return [...new Set(lists.flat().filter((each) => each !== null))].sort();
}

export const actorsFrom = (tokens: readonly { name: string; created_by: string }[], listed: readonly (string | null)[]): string[] =>
  known(configured, tokens.map((token) => token.name), tokens.map((token) => token.created_by), listed);

export const operationsFrom = (listed: readonly string[]): string[] => known(operationNames, listed);
