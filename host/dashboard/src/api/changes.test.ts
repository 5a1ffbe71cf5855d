import { type InfiniteData, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Changes } from "./changes";
import type { ServerEvent } from "./event-stream";
import type { Overview, TaskPage, Transcript } from "./schema";

let client: QueryClient;
let changes: Changes;
let frame: (() => void) | null;
let asked: Record<string, number>;
let ends: (() => void)[];

const told = (event: string, data: object): ServerEvent => ({ event, data: JSON.stringify(data) });

// What is on the screen: a query with an observer, whose questions are counted.
function show<T>(key: string, parameters: object, data: T): readonly unknown[] {
  const queryKey = [key, parameters];
  const observer = new QueryObserver<T>(client, {
    queryKey,
    queryFn: () => {
      asked[key] = (asked[key] ?? 0) + 1;
      return Promise.resolve(client.getQueryData<T>(queryKey) ?? data);
    },
    initialData: data,
    staleTime: Infinity,
  });
  ends.push(observer.subscribe(() => undefined));
  return queryKey;
}

function tellAndDraw(...events: ServerEvent[]): void {
  changes.take(events);
  const apply = frame;
  frame = null;
  apply?.();
}

const page = (...ids: string[]): TaskPage =>
  ({ tasks: ids.map((id) => ({ task_id: id, status: "queued" })), next_cursor: null }) as unknown as TaskPage;

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
  asked = {};
  frame = null;
  ends = [];
  changes = new Changes(client, (apply) => {
    expect(frame).toBeNull();
    frame = apply;
  });
});
afterEach(() => {
  changes.stop();
  for (const end of ends) end();
  client.clear();
  vi.useRealTimers();
});

test("a task's new status is shown where it stands, and pages without it stay what they are", () => {
  const key = ["tasks", "pages", {}];
  const before: InfiniteData<TaskPage> = { pages: [page("a", "b"), page("c")], pageParams: [] };
  client.setQueryData(key, before);
  client.setQueryData(["tasks", { limit: 8 }], page("b"));
  tellAndDraw(told("task", { task_id: "b", status: "running" }));
  const after = client.getQueryData<InfiniteData<TaskPage>>(key);
  expect(after?.pages[0]?.tasks.map((task) => task.status)).toEqual(["queued", "running"]);
  expect(after?.pages[1]).toBe(before.pages[1]);
  expect(client.getQueryData<TaskPage>(["tasks", { limit: 8 }])?.tasks[0]?.status).toBe("running");
  tellAndDraw(told("task", { task_id: "unknown", status: "running" }));
  expect(client.getQueryData(key)).toBe(after);
});

test("what comes in one frame is one change and one question each", async () => {
  show("tasks", {}, page("a"));
  show("overview", {}, { queue: {} } as Overview);
  let drawn = 0;
  ends.push(client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "success" && event.action.manual) ++drawn;
  }));
  changes.take(Array.from({ length: 100 }, (_, i) => told("task", { task_id: "a", status: i % 2 ? "running" : "queued" })));
  tellAndDraw(told("task", { task_id: "a", status: "completed" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual({ tasks: 1, overview: 1 });
  expect(client.getQueryData<TaskPage>(["tasks", {}])?.tasks[0]?.status).toBe("completed");
  expect(drawn).toBe(1);
});

test("however many events come, a list is asked for no more often than it is worth, and once more at the end", async () => {
  show("tasks", {}, page("a"));
  for (let i = 0; i < 100; ++i) {
    tellAndDraw(told("task", { task_id: `t${i}`, status: "queued" }));
    await vi.advanceTimersByTimeAsync(10);
  }
  const during = asked["tasks"] ?? 0;
  expect(during).toBeGreaterThanOrEqual(2);
  expect(during).toBeLessThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked["tasks"]).toBe(during + 1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked["tasks"]).toBe(during + 1);
});

test("a list that was scrolled far down is corrected but not asked for page by page", async () => {
  const key = ["tasks", "pages", {}];
  client.setQueryData(key, { pages: [page("a"), page("b"), page("c"), page("d")], pageParams: [] });
  const query = client.getQueryCache().find({ queryKey: key });
  if (!query) throw new Error("it is not in the cache");
  const invalidated = vi.spyOn(query, "invalidate");
  tellAndDraw(told("task", { task_id: "d", status: "failed" }));
  expect(client.getQueryData<InfiniteData<TaskPage>>(key)?.pages[3]?.tasks[0]?.status).toBe("failed");
  expect(invalidated).not.toHaveBeenCalled();
});

test("each kind of event has what it concerns asked for, and nothing else", async () => {
  for (const key of ["tasks", "tasks/t", "tasks/t/artifacts", "deliveries", "deliveries/d", "refused-deliveries", "plugins", "webhooks", "agents", "queue", "costs"])
    show(key, {}, {});
  const after = async (event: string, data: object): Promise<string[]> => {
    asked = {};
    tellAndDraw(told(event, data));
    await vi.advanceTimersByTimeAsync(10_000);
    return Object.keys(asked).sort();
  };
  expect(await after("execution", { task_id: "t", session_id: "s" })).toEqual(["tasks/t", "tasks/t/artifacts"]);
  expect(await after("delivery", { delivery_id: "d" })).toEqual(["deliveries", "deliveries/d", "webhooks"]);
  expect(await after("delivery", {})).toEqual(["deliveries", "refused-deliveries", "webhooks"]);
  expect(await after("plugin", {})).toEqual(["agents", "plugins", "webhooks"]);
  expect(await after("queue", { queued: 1 })).toEqual(["queue"]);
  expect(await after("hello", { resumed: true })).toEqual([]);
  expect((await after("hello", { resumed: false })).length).toBe(11);
  expect((await after("reset", {})).length).toBe(11);
});

test("a task is asked for when another of its chain has changed, and others are not", async () => {
  const chain = (...ids: string[]): object => ({ chain: ids.map((task_id) => ({ task_id })) });
  show("tasks/parent", {}, chain("parent", "child"));
  show("tasks/parent/artifacts", {}, {});
  show("tasks/parent/transcript", { session: "s" }, { task_id: "parent", executions: [] });
  show("tasks/alone", {}, chain("alone"));
  client.setQueryData(["tasks/left", {}], chain("child"));
  for (const [event, status] of [["task", "completed"], ["execution", undefined]] as const) {
    asked = {};
    tellAndDraw(told(event, { task_id: "child", status }), told(event, { task_id: "stranger", status }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual({ "tasks/parent": 1 });
  }
  asked = {};
  for (let i = 0; i < 100; ++i) {
    tellAndDraw(told("execution", { task_id: "child" }));
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(asked["tasks/parent"]).toBeGreaterThan(1);
  expect(asked["tasks/parent"]).toBeLessThanOrEqual(5);
});

test.each(["queued", "running", "awaiting_approval", "completed", "failed", "cancelled", "parked"])(
  "what was spent is asked for when a task is %s, and no more often than every two seconds",
  async (status) => {
    for (const key of ["cost-breakdown", "series", "agent-stats"]) show(key, {}, {});
    for (let i = 0; i < 40; ++i) {
      tellAndDraw(told("task", { task_id: `t${i}`, status }));
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual({ "cost-breakdown": 3, series: 3, "agent-stats": 3 });
  },
);

test("a budget that has turned and what was pruned are asked for, also what is open of it", async () => {
  vi.setSystemTime(1_000_000);
  for (const key of ["tasks", "tasks/t", "deliveries", "queue", "overview", "approvals/history", "plugins", "agent-stats", "series"])
    show(key, {}, {});
  const after = async (event: string): Promise<string[]> => {
    asked = {};
    tellAndDraw(told(event, {}));
    await vi.advanceTimersByTimeAsync(10_000);
    return Object.keys(asked).sort();
  };
  expect(await after("budget")).toEqual(["queue", "tasks"]);
  expect(await after("pruned")).toEqual(["agent-stats", "approvals/history", "deliveries", "overview", "tasks", "tasks/t"]);
});

test("the queue over time goes on with its counts, and is not asked for", async () => {
  vi.setSystemTime(90_000);
  const point = { gap: false, last: null, highest: null };
  const points = [{ ...point, at: "1970-01-01T00:00:00.000Z" }, { ...point, at: "1970-01-01T00:01:00.000Z" }];
  const key = show("queue-series", { bucket: "minute" }, { bucket: "minute", agent: null, points });
  tellAndDraw(told("queue", { queued: 7, running: 1, awaiting_approval: 0, parked: 0 }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(client.getQueryData<{ points: object[] }>(key)?.points.at(-1)).toMatchObject({ last: { queued: 7 }, highest: { running: 1 } });
  expect(asked).toEqual({});
});

test("counts of the queue are shown as they are told", () => {
  client.setQueryData(["overview", {}], { total_tasks: 5, queue: { queued: 0 } });
  tellAndDraw(told("queue", { queued: 7, running: 1, awaiting_approval: 0, parked: 0 }));
  expect(client.getQueryData<Overview>(["overview", {}])).toEqual({
    total_tasks: 5,
    queue: { queued: 7, running: 1, awaiting_approval: 0, parked: 0 },
  });
});

test("lines go behind those that are there, once, and a gap has the transcript asked for", async () => {
  const line = (number: number, more: object = {}) =>
    told("log", { task_id: "t", session_id: "s", number, at: null, kind: "text", line: `line ${number}`, ...more });
  const data = { task_id: "t", executions: [{ session_id: "s", lines: [{ number: 1, at: null, kind: "text", line: "line 1" }] }] };
  const key = show("tasks/t/transcript", { session: "s", limit: 1000 }, data);
  show("tasks/t/transcript", { session: "another" }, { task_id: "t", executions: [] });
  const numbers = (): number[] =>
    client.getQueryData<Transcript>(key)?.executions[0]?.lines.map((each) => each.number) ?? [];
  tellAndDraw(line(2), line(3));
  tellAndDraw(line(3), line(4));
  expect(numbers()).toEqual([1, 2, 3, 4]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual({});
  tellAndDraw(line(6));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(numbers()).toEqual([1, 2, 3, 4]);
  expect(asked["tasks/t/transcript"]).toBeGreaterThan(0);

  for (const more of [{ shortened: true }, { missed: true }]) {
    asked = {};
    tellAndDraw(line(5, more));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked["tasks/t/transcript"]).toBeGreaterThan(0);
  }
});

test("once stopped nothing is asked for", async () => {
  show("tasks", {}, page("a"));
  tellAndDraw(told("task", { task_id: "a" }));
  tellAndDraw(told("task", { task_id: "a" }));
  changes.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual({ tasks: 1 });
});
