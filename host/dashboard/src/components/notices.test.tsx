// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Notices, notify } from "./notices";

const shown = (): (string | null)[] => screen.queryAllByRole("button", { name: "Dismiss" }).map((each) => each.parentElement?.textContent ?? null);
const say = (...what: Parameters<typeof notify>): void => act(() => notify(...what));
const wait = (milliseconds: number): void => act(() => void vi.advanceTimersByTime(milliseconds));

beforeEach(() => {
  vi.useFakeTimers();
  render(<Notices />);
  // Others may have said something.
  for (const button of screen.queryAllByRole("button", { name: "Dismiss" })) act(() => button.click());
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("that something is done is said and goes by itself, a failure stays", () => {
  say("good", "Approved.");
  say("bad", "davit is busy");
  expect(screen.getByRole("status").textContent).toBe("Approved.davit is busy");
  wait(5_000);
  expect(shown()).toEqual(["davit is busy"]);
});

test("what changed the state of a plugin stays until it is dismissed", () => {
  say("good", "Cleared worker.", "agent/worker");
  wait(600_000);
  expect(shown()).toEqual(["Cleared worker."]);
  act(() => screen.getByRole("button", { name: "Dismiss" }).click());
  expect(shown()).toEqual([]);
});

test("the next about the same takes its place, whatever came of it, and no other", () => {
  say("bad", "it is not in quarantine", "agent/worker");
  say("good", "Disabled github.", "webhook/github");
  say("good", "Cleared worker.", "agent/worker");
  expect(shown()).toEqual(["Disabled github.", "Cleared worker."]);
});

test("there are no more than three, and the oldest goes", () => {
  for (const text of ["1", "2", "3", "4"]) say("bad", text);
  expect(shown()).toEqual(["2", "3", "4"]);
});
