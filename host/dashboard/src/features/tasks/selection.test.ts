import { expect, test } from "vitest";
import { areAllSelected, isSelected, newIdempotencyKey, nothing, targetOf, toggled, toggledShown } from "./selection";

const shown = ["a", "b", "c"];
const none = nothing("{}");

test("tasks are taken in and out one by one", () => {
  const one = toggled(none, "b", shown);
  expect([isSelected(one, "a"), isSelected(one, "b")]).toEqual([false, true]);
  expect(targetOf(one, { status: "failed" })).toEqual({ ids: ["b"] });
  expect(targetOf(toggled(one, "b", shown), {})).toBeNull();
});

test("all that are shown are selected at once, and none at the second time", () => {
  expect(areAllSelected(none, [])).toBe(false);
  const all = toggledShown(toggled(none, "a", shown), shown);
  expect(targetOf(all, {})).toEqual({ ids: shown });
  // One that came since is not.
  expect(areAllSelected(all, [...shown, "d"])).toBe(false);
  expect(targetOf(toggledShown(all, shown), {})).toBeNull();
});

test("all of a filter are told by the filter, and without one of them by those that are shown", () => {
  const all = { ...none, all: true };
  expect(isSelected(all, "not loaded")).toBe(true);
  expect(targetOf(all, { status: "failed", q: "", agent: undefined })).toEqual({ filter: { status: "failed" } });
  expect(targetOf(toggled(all, "b", shown), {})).toEqual({ ids: ["a", "c"] });
});

test("a key is a quoted string, and each another one", () => {
  expect(newIdempotencyKey()).toMatch(/^"[0-9a-f]{32}"$/);
  expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
});
