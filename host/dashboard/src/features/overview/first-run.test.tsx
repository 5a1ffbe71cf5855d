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

const overview = {
  total_tasks: 0,
  total_executions: 0,
  success_rate: null,
  total_cost: 0,
  total_tokens: 0,
  avg_duration: null,
  queue: { queued: 0, running: 0, awaiting_approval: 0, parked: 0 },
};
const webhook = (name: string, state: string, reason: string | null = null) => ({
  name,
  state,
  reason,
  secrets: state === "serving" ? 1 : 0,
  endpoint: `/webhooks/${name}`,
});

// What the steps say, each with whether it is done.
async function steps(webhooks: object[]): Promise<string[]> {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    const known: Record<string, object> = {
      "/api/session": { name: "alice", role: "admin", csrf_token: "c" },
      "/api/dashboard/overview": overview,
      "/api/dashboard/webhooks": { webhooks },
    };
    return Promise.resolve(path in known ? Response.json(known[path]) : Response.json({ title: "not here" }, { status: 404 }));
  });
  history.replaceState(null, "", "/");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
  const event = await screen.findByText("A signed event comes", undefined, { timeout: 30_000 });
  const list = event.closest("ol");
  return [...(list?.children ?? [])].map((step) => step.textContent.replace(/\s+/g, " "));
}

const lacks = "it has no secret to check signatures with: the variable GITHUB_WEBHOOK_SECRET is not set";

test("a plugin that is there and has no secret is said to be there, with what it lacks, and nobody is sent to test it", async () => {
  const [loaded, serves, event] = await steps([webhook("github", "no_secret", lacks)]);
  expect(loaded).toMatch(/^✓doneA webhook's plugin is loadedgithub\.$/);
  expect(serves).toContain(`to doIt has what it needs, and serves◆no secret github: ${lacks}`);
  expect(event).toBe("○to doA signed event comesOnce a webhook serves. Its task then appears here by itself.");
  expect(screen.queryByText("davit send", { exact: false })).toBeNull();
});

test("a folder without any says what to put there; a webhook whose library is missing says that", async () => {
  const [loaded, serves] = await steps([]);
  expect(loaded).toContain("to doA webhook's plugin is loadedPut a plugin's library into the plugins folder");
  expect(serves).toContain("Most take a secret");
  cleanup();
  const missing = "no library in the plugins folder offers a webhook named sentry";
  expect((await steps([webhook("sentry", "missing", missing)]))[0]).toContain(`to doA webhook's plugin is loaded◆missing sentry: ${missing}`);
});

test("once one serves, the way to the first event is shown, whatever the others lack", async () => {
  const [loaded, serves, event] = await steps([webhook("github", "serving"), webhook("sentry", "no_secret", lacks)]);
  expect(loaded).toContain("doneA webhook's plugin is loadedgithub, sentry.");
  expect(serves).toBe("✓doneIt has what it needs, and servesgithub at /webhooks/github.");
  expect(event).toContain("davit send github");
  expect(event).toContain("sends a test event");
});
