// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
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

async function open() {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role: "admin", csrf_token: "c" }));
    const found = path.includes("dashboard/tasks?")
      ? { tasks: [], next_cursor: null }
      : path.includes("dashboard/agents")
        ? { agents: [{ name: "worker" }] }
        : null;
    return Promise.resolve(found ? Response.json(found) : Response.json({ title: "not here" }, { status: 404 }));
  });
  history.pushState(null, "", "/tasks"); // so that none of the test before lies ahead
  const router = makeRouter();
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  await screen.findByRole("option", { name: "worker" }, patience);
  const status = screen.getByLabelText<HTMLSelectElement>("Status");
  const agent = screen.getByLabelText<HTMLSelectElement>("Agent");
  const field = screen.getByRole<HTMLInputElement>("searchbox");
  // What the address and the controls say.
  const shown = (): string[] => [location.search, status.value, agent.value, field.value];
  const comesTo = (...wanted: string[]): Promise<void> => waitFor(() => expect(shown()).toEqual(wanted), patience);
  return { router, status, agent, field, comesTo };
}

test("each choice is an entry of the history: Back undoes the last one, in the list's filters too, and Forward does it again", async () => {
  const { status, agent, comesTo } = await open();
  const before = history.length;
  await userEvent.selectOptions(status, "failed");
  await comesTo("?status=failed", "failed", "", "");
  await userEvent.selectOptions(agent, "worker");
  await comesTo("?status=failed&agent=worker", "failed", "worker", "");
  await userEvent.click(screen.getByRole("button", { name: "Clear" }));
  await comesTo("", "", "", "");
  expect(history.length).toBe(before + 3);
  history.back();
  await comesTo("?status=failed&agent=worker", "failed", "worker", "");
  history.back();
  await comesTo("?status=failed", "failed", "", "");
  history.back();
  await comesTo("", "", "", "");
  history.forward();
  await comesTo("?status=failed", "failed", "", "");
});

test("what is typed at one go is one entry, and what is chosen after it another", async () => {
  const { status, field, comesTo } = await open();
  const before = history.length;
  await userEvent.type(field, "re");
  await comesTo("?q=re", "", "", "re");
  await userEvent.type(field, "name", { skipClick: true });
  await comesTo("?q=rename", "", "", "rename");
  await userEvent.selectOptions(status, "failed");
  await comesTo("?q=rename&status=failed", "failed", "", "rename");
  // One who comes back to the field begins another one.
  await userEvent.type(field, "d");
  await comesTo("?q=renamed&status=failed", "failed", "", "renamed");
  expect(history.length).toBe(before + 3);
  history.back();
  await comesTo("?q=rename&status=failed", "failed", "", "rename");
  history.back();
  await comesTo("?q=rename", "", "", "rename");
  history.back();
  await comesTo("", "", "", "");
});

test("what is typed while the address follows is not lost, and what comes to nothing is no entry", async () => {
  const { router, field, comesTo } = await open();
  const before = history.length;
  fireEvent.change(field, { target: { value: "a" } });
  fireEvent.change(field, { target: { value: "" } });
  const end = router.history.subscribe(() => {
    end();
    fireEvent.change(field, { target: { value: "ab" } });
  });
  await new Promise((resolve) => setTimeout(resolve, 400)); // longer than a pause in typing
  expect(history.length).toBe(before);
  fireEvent.change(field, { target: { value: "a" } });
  await comesTo("?q=ab", "", "", "ab");
  expect(history.length).toBe(before + 1);
  await userEvent.click(screen.getByRole("button", { name: "Clear" }));
  await comesTo("", "", "", "");
});
