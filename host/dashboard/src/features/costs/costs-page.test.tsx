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

function open(address: string, costs: object): void {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "reader", csrf_token: "c" }));
    return Promise.resolve(path.includes("cost-breakdown?") ? Response.json(costs) : Response.json({ title: "not here" }, { status: 404 }));
  });
  history.replaceState(null, "", address);
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
}

const numbers = { executions: 1, total_tokens: 1, total_duration_seconds: 1, input_tokens: 1, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
const lines = (groups: string[]) => groups.map((group) => ({ group, total_cost_usd: 1, ...numbers }));

async function drawn(name: string): Promise<(string | null)[]> {
  const table = await screen.findByRole("table", { name }, patience);
  return within(table).getAllByRole("rowheader").map((cell) => cell.textContent);
}

test("by day each of 90 days is drawn, up to the newest", async () => {
  const days = Array.from({ length: 91 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10));
  open("/costs?by=day&period=90d", { group_by: "day", total_cost_usd: 91, costs: lines(days) });
  expect(await drawn("Cost by day")).toEqual(days);
  expect(screen.queryByText(/^and /)).toBeNull();
});

test("of other groups the first are drawn, and what the rest cost is said", async () => {
  const agents = Array.from({ length: 40 }, (_, agent) => `agent ${agent}`);
  open("/costs", { group_by: "agent", total_cost_usd: 40, costs: lines(agents) });
  expect(await drawn("Cost by agent")).toEqual(agents.slice(0, 31));
  expect(screen.getByText("and 9 more, $9.00")).toBeTruthy();
});

const said = (text: RegExp) => screen.queryAllByText(text).map((each) => each.textContent);

test("by day it says that days are those of UTC, over the chart and over both tables; by anything else it does not", async () => {
  open("/costs?by=day", { group_by: "day", total_cost_usd: 2, costs: lines(["2026-03-01", "2026-03-02"]) });
  await drawn("Cost by day");
  expect(said(/days are UTC/)).toEqual(["$2.00 in all · days are UTC"]);
  expect(screen.getAllByRole("columnheader", { name: "day (UTC)" }).length).toBe(2);
  cleanup();
  open("/costs", { group_by: "agent", total_cost_usd: 2, costs: lines(["a", "b"]) });
  await drawn("Cost by agent");
  expect(said(/days are UTC|\(UTC\)/)).toEqual([]);
});
