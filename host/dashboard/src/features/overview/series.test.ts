import { expect, test } from "vitest";
import type { Series } from "../../api/schema";
import { seriesColumns, seriesEnds, seriesSum } from "./series";

const base = { start_date: "2026-03-01T14:00:00.000Z", end_date: "2026-03-01T16:00:00.000Z" };

test("each hour has a column that says what ran in it, and how much of it went wrong", () => {
  const series: Series = {
    ...base,
    metric: "executions",
    bucket: "hour",
    points: [
      { at: "2026-03-01T14:00:00.000Z", value: 0, outcomes: {} },
      { at: "2026-03-01T15:00:00.000Z", value: 6, outcomes: { completed: 3, timed_out: 1, failed: 2 } },
    ],
  };
  expect(seriesColumns(series).map(({ value, bad, title }) => [value, bad, title])).toEqual([
    [0, 0, "2026-03-01 14:00: 0 executions"],
    [6, 3, "2026-03-01 15:00: 6 executions (3 completed, 1 timed out, 2 failed)"],
  ]);
  expect([seriesSum(series), seriesEnds(series)]).toEqual([6, ["2026-03-01 14:00", "2026-03-01 15:00"]]);
});

test("costs by day are in dollars, and nothing of them is bad", () => {
  const series: Series = { ...base, metric: "cost", bucket: "day", points: [{ at: "2026-03-01T00:00:00.000Z", value: 1.5 }] };
  expect(seriesColumns(series)).toEqual([
    { key: "2026-03-01T00:00:00.000Z", value: 1.5, bad: 0, title: "2026-03-01: $1.50" },
  ]);
  expect(seriesEnds({ ...series, points: [] })).toEqual(["", ""]);
});

test("of tasks it is told how many were made", () => {
  const series: Series = { ...base, metric: "tasks", bucket: "day", points: [{ at: "2026-03-01T00:00:00.000Z", value: 1 }] };
  expect(seriesColumns(series)[0]?.title).toBe("2026-03-01: 1 task");
});
