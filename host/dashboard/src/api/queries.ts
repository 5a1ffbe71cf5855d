// The queries of the pages and the acts of their buttons, each with its key and address, in one place.
import {
  type InfiniteData,
  QueryClient,
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { ApiError, type Method, type Parameters, get, post } from "./client";
import { withKeptParts } from "./kept-parts";
import type * as schema from "./schema";
import { appended, linesAtOnce, linesOf, mostAtOnce, prepended, withLines } from "./transcript-lines";

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        staleTime: 1_000,
        structuralSharing: withKeptParts,
        // What the server refused will be refused again.
        retry: (failures, error) => failures < 1 && !(error instanceof ApiError && error.status >= 400),
        retryDelay: 500,
      },
      mutations: { networkMode: "always" },
    },
  });
}

const base = "/api/dashboard/";

function read<T>(key: string, parameters: Parameters = {}, under = base) {
  return queryOptions<T>({
    queryKey: [key, parameters],
    queryFn: ({ signal }) => get<T>(under + key, parameters, signal),
  });
}

export const overview = () => read<schema.Overview>("overview");
export const queue = () => read<schema.Queue>("queue");
export const agents = () => read<{ agents: schema.Agent[] }>("agents");
export const agentStats = () => read<{ stats: schema.AgentStats[] }>("agent-stats");
export const webhooks = () => read<{ webhooks: schema.Webhook[] }>("webhooks");
export const plugins = () => read<{ plugins: schema.Plugin[] }>("plugins");
export const refusals = () => read<schema.Refusals>("refused-deliveries");
export const chains = (parameters: Parameters) => read<schema.Chains>("agent-chain-analytics", parameters);
export const costs = (parameters: Parameters) => read<schema.Costs>("cost-breakdown", parameters);
// For admins.
export const tokens = () => read<{ tokens: schema.AccessToken[] }>("tokens", {}, "/api/");
export const series = (parameters: { metric: schema.SeriesMetric; bucket: schema.SeriesBucket }) =>
  read<schema.Series>("series", parameters);
export const queueSeries = (parameters: { bucket: schema.QueueBucket }) =>
  read<schema.QueueSeries>("queue-series", parameters);
export const approvals = (parameters: Parameters) => read<schema.Approvals>("approvals", parameters);
export const decisions = (parameters: Parameters) => read<schema.Decisions>("approvals/history", parameters);
export const fewTasks = (parameters: Parameters) => read<schema.TaskPage>("tasks", parameters);
export const task = (id: string) => read<schema.TaskDetail>(`tasks/${encodeURIComponent(id)}`);
export const artifacts = (id: string) => read<schema.Artifacts>(`tasks/${encodeURIComponent(id)}/artifacts`);
export const delivery = (id: string) => read<schema.DeliveryDetail>(`deliveries/${encodeURIComponent(id)}`);

const transcriptKey = (id: string) => `tasks/${encodeURIComponent(id)}/transcript`;

// Asked for anew it is only asked for what came behind the lines that are held.
export const transcript = (id: string, session: string) => {
  const ask = (parameters: Parameters, signal: AbortSignal) =>
    get<schema.Transcript>(base + transcriptKey(id), { session, ...parameters }, signal);
  return queryOptions<schema.Transcript>({
    queryKey: [transcriptKey(id), { session }],
    queryFn: async ({ client, queryKey, signal }) => {
      const held = () => linesOf(client.getQueryData<schema.Transcript>(queryKey));
      const last = held().at(-1)?.number;
      if (last !== undefined) {
        const answer = await ask({ after: last, limit: mostAtOnce }, signal);
        const news = linesOf(answer);
        // Others may have come before or behind them meanwhile. After so many it begins anew at the end.
        if (news.length < mostAtOnce) return withLines(answer, appended(held(), news));
      }
      return ask({ limit: linesAtOnce }, signal);
    },
  });
};

// Puts what was said before the line of that number before the lines that are held. Gives how much that was.
export function useEarlierLines(id: string, session: string) {
  const client = useQueryClient();
  const { queryKey } = transcript(id, session);
  return useMutation<number, Error, number>({
    mutationFn: async (before) => {
      const answer = await get<schema.Transcript>(base + transcriptKey(id), { session, before, limit: linesAtOnce });
      const earlier = linesOf(answer);
      client.setQueryData<schema.Transcript>(queryKey, (old) => {
        const lines = prepended(linesOf(old), earlier, before);
        return old && lines ? withLines(old, lines) : old;
      });
      return earlier.length;
    },
  });
}

// The newest delivery of a webhook that a sender sent, to begin a test event with.
export async function newestDelivery(webhook: string): Promise<schema.DeliveryDetail | null> {
  const list = await get<schema.DeliveryPage>(`${base}deliveries`, { webhook, limit: 20 });
  const newest = list.deliveries.find((each) => each.tested_by === null) ?? list.deliveries[0];
  return newest ? get<schema.DeliveryDetail>(`${base}deliveries/${encodeURIComponent(newest.delivery_id)}`, {}) : null;
}

function pages<Page extends { next_cursor: string | null }>(key: string, parameters: Parameters) {
  return infiniteQueryOptions<Page, Error, InfiniteData<Page>, readonly unknown[], string | undefined>({
    queryKey: [key, "pages", parameters],
    queryFn: ({ pageParam, signal }) =>
      get<Page>(base + key, { limit: 100, ...parameters, cursor: pageParam }, signal),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export const taskPages = (parameters: Parameters) => pages<schema.TaskPage>("tasks", parameters);
export const deliveryPages = (parameters: Parameters) => pages<schema.DeliveryPage>("deliveries", parameters);
// With the plans, so not too many at a time.
export const approvalPages = (parameters: Parameters) =>
  pages<schema.Approvals>("approvals", { ...parameters, order: "oldest", limit: 20 });
export const decisionPages = () => pages<schema.Decisions>("approvals/history", { limit: 50 });
export const auditPages = (parameters: Parameters) => pages<schema.AuditPage>("audit", parameters);

// Posts what `sent` makes of it, and has everything on the screen asked for anew.
export function useAct<Body extends object = object, Answer = unknown>(
  path: (body: Body) => string,
  method: Method = "POST",
  sent: (body: Body) => object = (body) => body,
) {
  const client = useQueryClient();
  return useMutation<Answer, Error, Body>({
    mutationFn: (body) => post<Answer>(path(body), sent(body), method),
    onSettled: () => client.invalidateQueries(),
  });
}

// Tasks that are acted on together: these, or all that the list's filter finds.
export type BulkTarget = { ids: string[] } | { filter: Record<string, string> };

// What it would do. Not a query: what was shown is what is confirmed, so it is not asked for anew by itself.
export function useBulkPreview() {
  return useMutation<schema.BulkPreview, Error, BulkTarget & { action: schema.BulkAction }>({
    mutationFn: (wanted) => post<schema.BulkPreview>("/api/tasks/bulk/preview", wanted),
  });
}

// Does what the preview of that token showed; sent again with the same key, it is answered again and not done again.
export function useBulkAct(idempotencyKey: string) {
  const client = useQueryClient();
  return useMutation<schema.BulkOutcome, Error, { token: string; comment?: string }>({
    mutationFn: (body) =>
      post<schema.BulkOutcome>("/api/tasks/bulk", body, "POST", { "Idempotency-Key": idempotencyKey }),
    onSettled: () => client.invalidateQueries(),
  });
}
