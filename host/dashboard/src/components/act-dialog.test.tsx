// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../api/queries";
import { type Act, ActDialog, actWords, begunAct } from "./act-dialog";

let sent: { path: string; body: unknown }[] = [];
let answer: () => Response = () => Response.json({ task_id: "t", status: "queued" });

beforeEach(() => {
  sent = [];
  answer = () => Response.json({ task_id: "t", status: "queued" });
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    sent.push({ path, body: JSON.parse(init.body as string) as unknown });
    return Promise.resolve(answer());
  });
});
afterEach(() => {
  cleanup();
  sessionStorage.clear();
  vi.unstubAllGlobals();
});

const task = { task_id: "t", title: "Rename it", current_agent: "second" };
const seen = "a".repeat(64);

// What waits changes while the dialog is open.
function ask(act: Act, hashes: (string | undefined)[]): { closed: () => boolean } {
  const client = makeQueryClient();
  const onClose = vi.fn();
  const dialog = (hash: string | undefined) => (
    <QueryClientProvider client={client}>
      <ActDialog task={task} contentHash={hash} act={act} onClose={onClose} />
    </QueryClientProvider>
  );
  const { rerender } = render(dialog(hashes[0]));
  for (const hash of hashes.slice(1)) rerender(dialog(hash));
  return { closed: () => onClose.mock.calls.length > 0 };
}
const press = (act: Act) => userEvent.click(screen.getByRole("button", { name: actWords[act].button }));

test.each(["approve", "reject"] as const)("%s is of what was shown when it was asked for", async (act) => {
  const { closed } = ask(act, [seen, "b".repeat(64)]);
  screen.getByText("a".repeat(12));
  await userEvent.type(screen.getByRole("textbox"), "so be it");
  await press(act);
  await vi.waitFor(() => expect(closed()).toBe(true));
  expect(sent).toEqual([{ path: `/api/tasks/t/${act}`, body: { way: "dashboard", content_hash: seen, comment: "so be it" } }]);
});

test("where something else waits by now, the server's sentence is shown and the question stays", async () => {
  answer = () => Response.json({ status: 409, detail: "task t is not what was looked at" }, { status: 409 });
  const { closed } = ask("reject", [seen]);
  await press("reject");
  expect((await screen.findByRole("alert")).textContent).toBe("task t is not what was looked at");
  expect(closed()).toBe(false);
});

test("what waits for nobody is cancelled without a hash", async () => {
  const { closed } = ask("cancel", [undefined]);
  await press("cancel");
  await vi.waitFor(() => expect(closed()).toBe(true));
  expect(sent).toEqual([{ path: "/api/tasks/t/cancel", body: { way: "dashboard" } }]);
});

test("a reason outlasts a page that goes away before it was sent, and is gone once it is sent or the question closed", async () => {
  answer = () => Response.json({ status: 401, detail: "not signed in" }, { status: 401 });
  ask("reject", [seen]);
  await userEvent.type(screen.getByRole("textbox"), "not like that");
  await press("reject");
  await screen.findByRole("alert");
  cleanup(); // as by the sign-in page that comes in its place
  expect(begunAct("", "t", ["approve", "reject", "cancel"])).toBe("reject");
  expect(begunAct("somebody else", "t", ["reject"])).toBe(null);
  answer = () => Response.json({ task_id: "t", status: "cancelled" });
  const { closed } = ask("reject", [seen]);
  screen.getByText("You had typed this before; it was not sent.");
  await press("reject");
  await vi.waitFor(() => expect(closed()).toBe(true));
  expect(sent.at(-1)?.body).toMatchObject({ comment: "not like that" });
  expect(begunAct("", "t", ["reject"])).toBe(null);

  cleanup();
  ask("cancel", [undefined]);
  await userEvent.type(screen.getByRole("textbox"), "not needed");
  expect(begunAct("", "t", ["cancel"])).toBe("cancel");
  await userEvent.click(screen.getByRole("button", { name: "Back" }));
  expect(begunAct("", "t", ["cancel"])).toBe(null);
});
