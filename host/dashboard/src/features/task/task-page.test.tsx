// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../../api/queries";
import { forget } from "../../api/session";
import { makeRouter } from "../../routes";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  forget();
});

const patience = { timeout: 30_000 }; // on a busy machine
const hour = 3_600_000;
const at = (hours: number): string => new Date(Date.now() + hours * hour).toISOString();

const task = (what: object) => ({
  task_id: "t1",
  status: "queued",
  source: "api",
  current_agent: "worker",
  task_type: "build",
  title: "One",
  entity: null,
  priority: 0,
  attempt: 0,
  max_retries: 2,
  crashes: 0,
  losses: 0,
  error: null,
  hold_reason: null,
  resume_at: null,
  created_at: at(-1),
  updated_at: at(-1),
  run_at: at(-1),
  finished_at: null,
  parent_id: null,
  delivery_id: null,
  actor: null,
  links: [],
  decisions: [],
  approval: null,
  payload: null,
  previous_result: null,
  result: null,
  chain: [],
  agent_executions: [],
  total_cost_usd: 0,
  total_tokens_used: 0,
  ...what,
});

// The card of its executions, once the page of that task is there.
async function shown(what: object): Promise<HTMLElement> {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "reader", csrf_token: "c" }));
    const isTask = path === "/api/dashboard/tasks/t1";
    return Promise.resolve(Response.json(isTask ? task(what) : { title: "not here" }, { status: isTask ? 200 : 404 }));
  });
  history.replaceState(null, "", "/tasks/t1");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
  const heading = await screen.findByRole("heading", { level: 2, name: "Executions" }, patience);
  return heading.closest("section") as HTMLElement;
}

const textOf = (element: Element | null): string => (element?.textContent ?? "").replace(/\s+/g, " ");
const callout = (head: string): string => textOf(screen.getByText(head).parentElement);

test("what is made for later says when it runs, and not that its agent is all it waits for", async () => {
  const runAt = at(23);
  const card = await shown({ run_at: runAt });
  expect(callout("It waits for its time")).toBe("It waits for its timeIt runs in 23 h.");
  expect(textOf(card)).toContain("Not run yetIt runs in 23 h, if its agent is free for it then.");
  expect([...document.querySelectorAll("time")].some((time) => time.dateTime === runAt && time.title !== "")).toBe(true);
});

test("what was put off by its agent says until when, and what the agent said", async () => {
  await shown({ run_at: at(1), error: "slow down" });
  expect(callout("It waits for its time")).toBe("It waits for its timeIt runs in 1 h. What its last try said: slow down");
});

test("what is held back says why; what only waits for its agent says that", async () => {
  await shown({ run_at: at(1), hold_reason: "the day's budget is spent", resume_at: at(1) });
  expect(callout("It is held back")).toContain("the day's budget is spent");
  expect(screen.queryByText("It waits for its time")).toBeNull();
  cleanup();
  const card = await shown({});
  expect(textOf(card)).toContain("Not run yetIt runs when its agent is free for it.");
  expect(screen.queryByText("It waits for its time")).toBeNull();
});

const decision = { by: "alice", way: "dashboard", at: at(0), comment: null, content_hash: null };

test.each([
  ["cancelled", [], "It was cancelled before it could."],
  ["cancelled", [{ ...decision, kind: "reject" }], "It was rejected before it could."],
  ["failed", [], "It failed before it could."],
] as const)("%s before it ran it never ran", async (status, decisions, sentence) => {
  const card = await shown({ status, decisions, finished_at: at(0) });
  expect(textOf(card)).toContain(`It never ran${sentence}`);
  expect(screen.queryByText("Not run yet")).toBeNull();
});

const execution = (number: number) => ({
  session_id: `s${number}`,
  agent_name: "command-agent",
  attempt: 1, // counted from the beginning by each retry
  outcome: "failed",
  started_at: new Date(Date.UTC(2026, 2, 1, 12, number)).toISOString(),
  completed_at: new Date(Date.UTC(2026, 2, 1, 12, number, 30)).toISOString(),
  duration_seconds: 30,
  total_cost_usd: 0,
  models: {},
  error: null,
  error_class: null,
  model_used: null,
  output: null,
  cost_is_estimate: false,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
});

test("executions are told apart by their number, in the list and before the transcript", async () => {
  const card = await shown({ status: "failed", attempt: 1, agent_executions: [1, 2, 3, 4].map(execution) });
  const names = within(card).getAllByTitle(/, begun /);
  expect(names.map(textOf)).toEqual([1, 2, 3, 4].map((number) => `${number} of 4 · command-agent · try 1`));
  expect(new Set(names.map((name) => name.title)).size).toBe(4);
  const select = screen.getByRole("combobox", { name: "Execution" });
  expect(within(select).getAllByRole("option").map(textOf)).toEqual(
    [1, 2, 3, 4].map((number) => `${number} of 4: command-agent, try 1`),
  );
});

test("a single execution has no number", async () => {
  const card = await shown({ status: "failed", attempt: 1, agent_executions: [execution(1)] });
  expect(within(card).getByTitle(/, begun /).textContent).toBe("command-agent · try 1");
});
