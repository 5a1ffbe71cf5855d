// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../../api/queries";
import { forget } from "../../api/session";
import { keyMeanings } from "../../lib/keys";
import { makeRouter } from "../../routes";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  forget();
});

const patience = { timeout: 30_000 }; // on a busy machine

const answers: Record<string, object> = {
  "/api/dashboard/plugins": {
    plugins: [
      { kind: "agent", name: "a", state: "serving", held_back: { state: "quarantined" } },
      { kind: "library", name: "b.so", state: "refused", held_back: null },
      { kind: "agent", name: "c", state: "serving", held_back: null },
    ],
  },
};

function open(role: "reader" | "admin", width: number): void {
  vi.stubGlobal("matchMedia", (condition: string) => ({
    matches: width >= Number(/min-width: (\d+)px/.exec(condition)?.[1] ?? Infinity),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/api/session") return Promise.resolve(Response.json({ name: "alice", role, csrf_token: "c" }));
    const answer = answers[path];
    return Promise.resolve(answer ? Response.json(answer) : Response.json({ title: "not here" }, { status: 404 }));
  });
  history.replaceState(null, "", "/nowhere");
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>,
  );
}

test.each([380, 768, 1280])("who is signed in, that he only looks, and the switch of the keys are there: %i px", async (width) => {
  open("reader", width);
  expect((await screen.findByTitle("Signed in as alice, who only looks", undefined, patience)).textContent).toBe("alice · looks only");
  await userEvent.click(screen.getByLabelText("Keyboard"));
  expect(screen.getByLabelText("Keys act")).toBeTruthy();
});

test("the page of plugins is marked with how many were turned away, those held back among them", async () => {
  open("admin", 1280);
  await waitFor(() => expect(document.querySelector('a[href="/plugins"]')?.textContent).toBe("Plugins 2 turned away"), patience);
});

// Which keys the help lists.
async function listed(role: "reader" | "admin"): Promise<string[]> {
  open(role, 1280);
  await userEvent.click(await screen.findByLabelText("Keyboard", undefined, patience));
  return [...document.querySelectorAll("dialog tbody td:first-child")].map((cell) =>
    [...cell.querySelectorAll("kbd")].map((key) => key.textContent).join(" "),
  );
}

test("the help lists every key that acts, and to a reader none that he may not use", async () => {
  const pages = ["g o", "g t", "g w", "g d", "g a", "g c", "g p"];
  expect(await listed("admin")).toEqual([...Object.keys(keyMeanings), ...pages, "g u"]);
  cleanup();
  expect(await listed("reader")).toEqual(["/", "j", "k", "Enter", "?", ...pages]);
});
