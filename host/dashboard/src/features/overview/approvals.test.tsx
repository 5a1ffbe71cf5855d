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

const waiting = Array.from({ length: 12 }, (_, index) => ({
  task: { task_id: `t${index}`, title: `Asked as the ${index + 1}.`, current_agent: "a" },
  approval: { asked_at: new Date(Date.UTC(2026, 2, 1, index)).toISOString(), deadline: null },
  chain_cost_usd: 0,
}));
const overview = {
  total_tasks: 12,
  total_executions: 0,
  success_rate: null,
  total_cost: 0,
  total_tokens: 0,
  avg_duration: null,
  queue: { queued: 0, running: 0, awaiting_approval: 12, parked: 0 },
};

test("of those that wait for approval the longest waiting are shown, which lapse first", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "reader", csrf_token: "c" }));
    if (path === "/api/dashboard/overview") return Promise.resolve(Response.json(overview));
    const asked = new URL(path, "http://davit");
    if (asked.pathname !== "/api/dashboard/approvals") return Promise.resolve(Response.json({ title: "not here" }, { status: 404 }));
    // As the API has them: the newest first, unless it is told otherwise.
    const inOrder = asked.searchParams.get("order") === "oldest" ? waiting : waiting.toReversed();
    return Promise.resolve(Response.json({ approvals: inOrder.slice(0, Number(asked.searchParams.get("limit"))), next_cursor: "c" }));
  });
  history.replaceState(null, "", "/");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
  const list = await screen.findByRole("list", { name: "Waiting for approval" }, { timeout: 30_000 });
  expect(within(list).getAllByRole("link").map((link) => link.textContent)).toEqual(waiting.slice(0, 5).map((each) => each.task.title));
});
