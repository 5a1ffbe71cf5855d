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

test("what is too large for the list is said to be left out, and leads to its task", async () => {
  const waiting = {
    task: { task_id: "t1", title: "One", current_agent: "a", entity: null },
    approval: { asked_at: "2026-03-01T00:00:00Z", reminders: 0, deadline: null, content_hash: "h" },
    chain_cost_usd: 1,
    plan: null,
    plan_left_out: true,
  };
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "admin", csrf_token: "c" }));
    const isList = path.includes("dashboard/approvals?");
    return Promise.resolve(Response.json(isList ? { approvals: [waiting], next_cursor: null } : { title: "not here" }, { status: isList ? 200 : 404 }));
  });
  history.replaceState(null, "", "/approvals");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
  const link = await screen.findByRole("link", { name: "read it on the page of the task" }, { timeout: 30_000 });
  expect(link.getAttribute("href")).toBe("/tasks/t1");
});
