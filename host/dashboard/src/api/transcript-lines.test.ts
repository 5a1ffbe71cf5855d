import { expect, test } from "vitest";
import type { Transcript, TranscriptLine } from "./schema";
import { appended, mostHeld, prepended, withLines } from "./transcript-lines";

const lines = (from: number, to: number): TranscriptLine[] =>
  Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => ({ number: from + index, at: null, kind: "text", line: `line ${from + index}` }));
const numbers = (of: TranscriptLine[] | null): number[] => of?.map((line) => line.number) ?? [];

test("what comes goes behind, each line once", () => {
  expect(numbers(appended(lines(3, 5), lines(4, 7)))).toEqual([3, 4, 5, 6, 7]);
  expect(numbers(appended([], lines(1, 2)))).toEqual([1, 2]);
  const held = lines(1, 5);
  expect(appended(held, lines(1, 5))).toBe(held);
});

test("a page holds so many lines and a step more, and the oldest go", () => {
  const full = lines(1, mostHeld);
  expect(appended(full, lines(mostHeld + 1, mostHeld + 1_000))).toHaveLength(mostHeld + 1_000);
  const after = appended(full, lines(mostHeld + 1, mostHeld + 1_001));
  expect([after.length, after[0]?.number, after.at(-1)?.number]).toEqual([mostHeld, 1_002, mostHeld + 1_001]);
});

test("what was before goes before the line that it was asked for, and nowhere else", () => {
  expect(numbers(prepended(lines(5, 6), lines(3, 4), 5))).toEqual([3, 4, 5, 6]);
  expect(prepended(lines(7, 8), lines(3, 4), 5)).toBeNull();
  expect(prepended([], lines(3, 4), 5)).toBeNull();
  const held = lines(5, 6);
  expect(prepended(held, [], 5)).toBe(held);
});

test("where no line has changed, the transcript stays the object it is", () => {
  const execution = { session_id: "s", agent_name: "a", completed_at: null, truncated: false, lines: lines(1, 2) };
  const transcript: Transcript = { task_id: "t", executions: [execution] };
  expect(withLines(transcript, execution.lines)).toBe(transcript);
  expect(withLines(transcript, lines(1, 3))).toEqual({ task_id: "t", executions: [{ ...execution, lines: lines(1, 3) }] });
  const none: Transcript = { task_id: "t", executions: [] };
  expect(withLines(none, lines(1, 3))).toBe(none);
});
