// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/queries";
import { askSession, forget } from "../api/session";
import { HeldBack } from "./held-back";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  forget();
});

const held = {
  generation: 3,
  sha256: "ab".repeat(32),
  source: "/srv/plugins/worker.so",
  loaded_at: "2026-01-01T00:00:00Z",
  state: "quarantined",
  reason: "its plugin crashed 3 times",
  since: "2026-01-02T00:00:00Z",
} as const;

// What is posted, while somebody of that role is signed in.
async function shown(role: "reader" | "admin", state: "quarantined" | "bad_config"): Promise<string[]> {
  const posted: string[] = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    if (init?.method === "POST") posted.push(path);
    return Promise.resolve(Response.json({ name: "n", role, csrf_token: "c" }));
  });
  await askSession();
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <HeldBack plugin={{ kind: "agent", name: "a/b", held_back: { ...held, state } }} />
    </QueryClientProvider>,
  );
  return posted;
}

test("it says what is held back, why, and since when, and clears it", async () => {
  const posted = await shown("admin", "quarantined");
  expect(screen.getByText("What its file holds now is held back; what was there before it serves on")).toBeTruthy();
  expect(screen.getByText("its plugin crashed 3 times")).toBeTruthy();
  expect(document.querySelector("time")?.dateTime).toBe(held.since);
  await userEvent.click(screen.getByRole("button", { name: "Clear: generation 3 of a/b" }));
  expect(posted).toEqual(["/api/plugins/agent/a%2Fb/clear"]);
});

test("what is in no quarantine is tried again", async () => {
  const posted = await shown("admin", "bad_config");
  await userEvent.click(screen.getByRole("button", { name: /^Try again/ }));
  expect(posted).toEqual(["/api/plugins/rescan"]);
});

test("a reader sees it and is offered nothing", async () => {
  await shown("reader", "quarantined");
  expect(screen.getByText(/is held back/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: /^Clear/ })).toBeNull();
});
