import { expect, test } from "vitest";
import type { QueueSeries } from "../../api/schema";
import { queueChart, summaryOf, topOf } from "./queue-depth";

const minute = 60_000;
const begin = Date.parse("2026-03-01T14:00:00.000Z");
const counts = (queued: number) => ({ queued, running: 1, awaiting_approval: 0, deferred_deliveries: 0 });

// "|3": three, and what was before does not lead to it; "?": nobody knows.
function series(text: string): QueueSeries {
  const points = text.split(" ").map((word, index) => {
    const known = word === "?" ? null : counts(Number(word.replace("|", "")));
    return { at: new Date(begin + index * minute).toISOString(), gap: word.startsWith("|") || !known, last: known, highest: known };
  });
  return {
    bucket: "minute",
    agent: null,
    start_date: new Date(begin).toISOString(),
    end_date: new Date(begin + points.length * minute).toISOString(),
    points,
  };
}

const draw = (text: string, until: number, now: number | null) =>
  queueChart(series(text), begin + until * minute, now === null ? null : counts(now));

test("a line goes on from minute to minute, and ends at what there is now", () => {
  expect(draw("2 4 4 0", 3.5, 2).paths.queued).toBe("M0.00 15.00H25.00V0.00H50.00V0.00H75.00V30.00H87.50V15.00");
  expect(draw("2 4 4 0", 4, null).paths.queued).toBe("M0.00 15.00H25.00V0.00H50.00V0.00H75.00V30.00H100.00");
});

test("no line is drawn over what nobody knows, nor from before to after it", () => {
  const chart = draw("2 ? ? |2 2", 5, null);
  expect(chart.paths.queued).toBe("M0.00 0.00H20.00M60.00 0.00H80.00V0.00H100.00");
  expect(chart.gaps.map(({ x, width }) => [x, width])).toEqual([[20, 20], [40, 20], [60, 20]]);
  expect(draw("2 |4 ?", 3, 7).paths.queued).toMatch(/^M0\.00 [\d.]+H33\.33M33\.33 [\d.]+H66\.67$/);
  expect(draw("? ?", 2, null)).toMatchObject({ highest: null, top: 2, paths: { queued: "" } });
});

test("the table has a row from each change on", () => {
  const rows = draw("2 2 ? ? |3 3 1", 7, 1).stretches;
  expect(rows.map(({ from, highest, begins }) => [(from - begin) / minute, highest?.queued ?? null, begins])).toEqual([
    [0, 2, false],
    [2, null, true],
    [4, 3, true],
    [6, 1, false],
  ]);
});

test("all of it is told in words", () => {
  const data = series("0 ? |3");
  const chart = queueChart(data, begin + 3 * minute, counts(1));
  expect(summaryOf(data, chart, counts(1))).toBe(
    "The queue in each minute, at most 3 queued, 1 running, 0 waiting for approval, now 1 queued, 1 running, 0 waiting for approval, with gaps",
  );
  expect(chart.columns[0]?.title).toBe("1 Mar 2026, 15:00:00 CET: at most 0 queued, 1 running, 0 waiting for approval");
  expect(chart.columns[1]?.title).toContain("nobody knows");
});

test.each([[0, 2], [1, 2], [3, 4], [5, 6], [7, 10], [11, 20], [41, 60], [100, 100], [601, 1_000]])(
  "for %i the axis goes up to %i",
  (most, top) => expect(topOf(most)).toBe(top),
);
