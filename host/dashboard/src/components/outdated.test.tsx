// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/queries";
import { forget } from "../api/session";
import { makeRouter } from "../routes";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  forget();
});

const patience = { timeout: 30_000 }; // on a busy machine

// Opens the page there. What the API is asked with `slow` in the address is answered when it is let.
function open(address: string, slow: string, answers: Record<string, object>) {
  let answer: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (answer = resolve));
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", async (path: string) => {
    if (path === "/api/session") return Response.json({ name: "alice", role: "admin", csrf_token: "c" });
    if (path.includes(slow)) await held;
    const found = Object.entries(answers).find(([part]) => path.includes(part));
    return found ? Response.json(found[1]) : Response.json({ title: "not here" }, { status: 404 });
  });
  history.replaceState(null, "", address);
  const router = makeRouter();
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { router, answer };
}

const busy = () => document.querySelector("[aria-busy=true]");

test("tasks of the filter before are dimmed and cannot be selected until those of the new one are there", async () => {
  const task = { task_id: "t1", title: "One", status: "queued", created_at: "2026-03-01T00:00:00Z" };
  const { router, answer } = open("/tasks", "status=failed", { "dashboard/tasks?": { tasks: [task], next_cursor: null } });
  await userEvent.click(await screen.findByLabelText("All shown", undefined, patience));
  expect(screen.getByText("1 selected")).toBeTruthy();
  await act(() => router.navigate({ to: "/tasks", search: { status: "failed" } }));
  await waitFor(() => expect(busy()?.querySelector("[role=status]")?.textContent).toBe("Loading…"), patience);
  expect(busy()?.querySelector("[inert]")).toBeTruthy();
  expect(screen.getByLabelText("All shown").closest("[inert]")).toBeTruthy();
  expect(screen.queryByText("1 selected")).toBeNull();
  answer();
  await waitFor(() => expect(busy()).toBeNull(), patience);
  expect(screen.getByLabelText("All shown").closest("[inert]")).toBeNull();
  // Nor does a selection come back with its filter.
  await act(() => router.navigate({ to: "/tasks", search: {} }));
  await screen.findByLabelText("All shown", undefined, patience);
  expect(screen.queryByText("1 selected")).toBeNull();
});

test("a total of costs is not shown as that of another filter", async () => {
  const line = { group: "a", total_cost_usd: 5, executions: 1, total_tokens: 1, total_duration_seconds: 1, input_tokens: 1, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
  const { router, answer } = open("/costs", "agent=b", {
    "cost-breakdown?": { group_by: "agent", total_cost_usd: 5, costs: [line] },
  });
  await screen.findByText("$5.00 in all", undefined, patience);
  await act(() => router.navigate({ to: "/costs", search: { agent: "b" } }));
  await waitFor(() => expect(busy()?.querySelector("[inert]")).toBeTruthy(), patience);
  expect(screen.queryByText("$5.00 in all")).toBeNull();
  answer();
  await screen.findByText("$5.00 in all", undefined, patience);
  expect(busy()).toBeNull();
});
