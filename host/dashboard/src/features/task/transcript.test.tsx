// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeQueryClient, transcript } from "../../api/queries";
import type { TaskDetail, Transcript, TranscriptLine } from "../../api/schema";
import { linesOf, mostHeld } from "../../api/transcript-lines";
import { TranscriptCard } from "./transcript";

const line = (number: number): TranscriptLine => ({ number, at: null, kind: "text", line: `line ${number}` });
let said: TranscriptLine[] = []; // by the execution so far
let asked: string[] = [];
let broken = false;
let client = makeQueryClient();

// As the server answers.
function answer(path: string): Response {
  asked.push(path);
  if (broken) return Response.json({ status: 503, detail: "davit is busy" }, { status: 503 });
  const parameters = new URL(path, "http://davit").searchParams;
  const limit = Number(parameters.get("limit"));
  const after = parameters.get("after");
  const before = parameters.get("before");
  const lines = after
    ? said.filter((each) => each.number > Number(after)).slice(0, limit)
    : said.filter((each) => !before || each.number < Number(before)).slice(-limit);
  const executions = [{ session_id: "s", agent_name: "worker", completed_at: null, truncated: false, lines }];
  return Response.json({ task_id: "t", executions } satisfies Transcript);
}

beforeEach(() => {
  said = Array.from({ length: 2_500 }, (_, index) => line(index + 1));
  asked = [];
  broken = false;
  client = makeQueryClient();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal("fetch", (path: string) => Promise.resolve(answer(path)));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const shown = (): void => {
  const execution = { session_id: "s", agent_name: "worker", attempt: 1, outcome: "completed" };
  const task = { task_id: "t", agent_executions: [execution] } as unknown as TaskDetail;
  render(
    <QueryClientProvider client={client}>
      <TranscriptCard task={task} />
    </QueryClientProvider>,
  );
};
const { queryKey } = transcript("t", "s");
const numbers = (): number[] => linesOf(client.getQueryData<Transcript>(queryKey)).map((each) => each.number);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const button = () => screen.findByRole("button", { name: "Earlier lines" });

test("earlier lines are asked for a page at a time, until the first is there", async () => {
  shown();
  await userEvent.click(await button());
  await screen.findByText("before line 501");
  expect(numbers()).toEqual(range(501, 2_500));
  expect(document.activeElement).toBe(screen.getByRole("log"));
  await userEvent.click(await button());
  await waitFor(() => expect(screen.queryByRole("button", { name: "Earlier lines" })).toBeNull());
  expect(numbers()).toEqual(range(1, 2_500));
  expect(asked.map((path) => path.split("?")[1])).toEqual([
    "session=s&limit=1000",
    "session=s&before=1501&limit=1000",
    "session=s&before=501&limit=1000",
  ]);
});

test("what is said meanwhile comes behind, and what was read back stays", async () => {
  shown();
  await userEvent.click(await button());
  await screen.findByText("before line 501");
  said.push(line(2_501), line(2_502));
  await act(() => client.invalidateQueries({ queryKey }));
  expect(numbers()).toEqual(range(501, 2_502));
  expect(asked.at(-1)).toContain("session=s&after=2500&limit=5000");
});

test("lines that are read back while the new ones are on their way are kept", async () => {
  shown();
  await button();
  said.push(line(2_501));
  let release: () => void = () => undefined;
  vi.stubGlobal("fetch", (path: string) => {
    if (!path.includes("after=")) return Promise.resolve(answer(path));
    return new Promise((resolve) => (release = () => resolve(answer(path))));
  });
  const anew = client.invalidateQueries({ queryKey });
  await userEvent.click(await button());
  await screen.findByText("before line 501");
  await act(async () => {
    release();
    await anew;
  });
  expect(numbers()).toEqual(range(501, 2_501));
});

test("after more than an answer holds it begins anew at the end", async () => {
  shown();
  await button();
  for (let number = 2_501; number <= 9_000; ++number) said.push(line(number));
  await act(() => client.invalidateQueries({ queryKey }));
  expect(numbers()).toEqual(range(8_001, 9_000));
});

test("a failure is told, and it can be tried again", async () => {
  shown();
  await button();
  broken = true;
  await userEvent.click(await button());
  expect((await screen.findByRole("alert", undefined, { timeout: 10_000 })).textContent).toBe("davit is busy");
  broken = false;
  await userEvent.click(await button());
  await screen.findByText("before line 501");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("where nothing is before a first line that stands for others, nothing more is offered", async () => {
  said = said.slice(1_500);
  shown();
  await userEvent.click(await button());
  await waitFor(() => expect(screen.queryByRole("button", { name: "Earlier lines" })).toBeNull());
  expect(numbers()).toEqual(range(1_501, 2_500));
});

test("a page that holds as much as it may says how to go on", async () => {
  said = range(1_001, 1_000 + mostHeld + 500).map(line);
  const executions = [{ session_id: "s", agent_name: "worker", completed_at: null, truncated: false, lines: said.slice(500) }];
  client.setQueryData<Transcript>(queryKey, { task_id: "t", executions });
  shown();
  await screen.findByText("davit tasks transcript t --session s --before 1501");
  expect(screen.queryByRole("button", { name: "Earlier lines" })).toBeNull();
});
