import { expect, test } from "vitest";
import type { Execution } from "../../api/schema";
import { timeline } from "./timeline";

const at = (seconds: number): string => new Date(1_800_000_000_000 + seconds * 1000).toISOString();

function execution(from: number, to: number | null): Execution {
  return {
    started_at: at(from),
    completed_at: to === null ? null : at(to),
    duration_seconds: to === null ? null : to - from,
  } as Execution;
}

test("executions lie on one line, each with the wait before it", () => {
  const [first, second] = timeline([execution(2, 4), execution(6, 10)], at(0), Date.parse(at(99)));
  expect(first).toMatchObject({ waitedFrom: 0, from: 0.2, to: 0.4, seconds: 2 });
  expect(second).toMatchObject({ waitedFrom: 0.4, from: 0.6, to: 1, seconds: 4 });
});

test("what still runs ends now", () => {
  const [only] = timeline([execution(5, null)], at(0), Date.parse(at(20)));
  expect(only).toMatchObject({ from: 0.25, to: 1, seconds: 15 });
});

test("a clock of the browser that is behind makes nothing negative", () => {
  const [only] = timeline([execution(5, null)], at(0), Date.parse(at(1)));
  expect(only).toMatchObject({ from: 1, to: 1, seconds: 0 });
});

test("nothing run is nothing drawn", () => {
  expect(timeline([], at(0), 0)).toEqual([]);
});
