// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../../api/queries";
import { forget } from "../../api/session";
import { makeRouter } from "../../routes";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  forget();
});

// The page of approvals, with one that waits.
function open(what: object): void {
  const waiting = {
    task: { task_id: "t1", title: "One", current_agent: "a", entity: null },
    approval: { asked_at: "2026-03-01T00:00:00Z", reminders: 0, deadline: null, content_hash: "h" },
    chain_cost_usd: 1,
    plan: null,
    plan_left_out: false,
    ...what,
  };
  const agents = [
    { name: "reviewer", requires_approval: true },
    { name: "worker", requires_approval: false },
  ];
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "admin", csrf_token: "c" }));
    if (path.includes("dashboard/approvals?")) return Promise.resolve(Response.json({ approvals: [waiting], next_cursor: null }));
    if (path.endsWith("dashboard/agents")) return Promise.resolve(Response.json({ agents }));
    return Promise.resolve(Response.json({ title: "not here" }, { status: 404 }));
  });
  history.replaceState(null, "", "/approvals");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
}

const patience = { timeout: 30_000 }; // on a busy machine

test("what is too large for the list is said to be left out, and leads to its task", async () => {
  open({ plan_left_out: true });
  const link = await screen.findByRole("link", { name: "read it on the page of the task" }, patience);
  expect(link.getAttribute("href")).toBe("/tasks/t1");
});

test("the list is narrowed down to any agent: one that asks for nothing itself may have what the one before it asked about", async () => {
  open({});
  await screen.findByRole("option", { name: "worker" }, patience);
  const select = screen.getByRole("combobox", { name: "Agent" });
  expect([...select.querySelectorAll("option")].map((option) => option.textContent)).toEqual(["Agent: any", "reviewer", "worker"]);
});
