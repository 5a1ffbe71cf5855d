import { expect, test } from "vitest";
import type { Task } from "../../api/schema";
import { movedBy } from "./moved";

const tasks = (...ids: string[]): Task[] => ids.map((task_id) => ({ task_id }) as Task);

test("what comes above a row moves it down, what goes there moves it up, and what changes below does not", () => {
  const before = tasks("a", "b", "c", "d");
  expect(movedBy(before, tasks("x", "y", "a", "b", "c", "d"), 2)).toBe(2);
  expect(movedBy(before, tasks("b", "c", "d"), 2)).toBe(-1);
  expect(movedBy(before, tasks("a", "b", "c"), 2)).toBe(0);
  expect(movedBy(before, tasks("a", "b", "c", "d", "e"), 2)).toBe(0);
});

test("in the place of a row that is gone stands the next one below it", () => {
  const before = tasks("a", "b", "c", "d");
  expect(movedBy(before, tasks("x", "a", "b", "d"), 2)).toBe(0);
  expect(movedBy(before, tasks("a", "b", "d"), 2)).toBe(-1);
  expect(movedBy(before, tasks("p", "q"), 2)).toBe(0);
});
