import { expect, test } from "vitest";
import { carriedOn, withCounts } from "./queue-series";
import type { QueueCounts, QueueSeries } from "./schema";

const minute = 60_000;
const begin = Date.parse("2026-03-01T14:00:00.000Z");
const counts = (queued: number, running = 0): QueueCounts => ({
  queued,
  running,
  awaiting_approval: 0,
  deferred_deliveries: 1,
});

function series(...queued: (number | null)[]): QueueSeries {
  return {
    bucket: "minute",
    agent: null,
    start_date: new Date(begin).toISOString(),
    end_date: new Date(begin + queued.length * minute).toISOString(),
    points: queued.map((each, index) => ({
      at: new Date(begin + index * minute).toISOString(),
      gap: each === null,
      last: each === null ? null : counts(each),
      highest: each === null ? null : counts(each),
    })),
  };
}

const shown = ({ points }: QueueSeries): string =>
  points
    .map(({ at, gap, last, highest }) => `${at.slice(14, 16)} ${gap ? "|" : ""}${last?.queued ?? "?"}/${highest?.queued ?? "?"}`)
    .join(", ");

test("in a minute that has just begun everything is as it was, and the oldest goes", () => {
  const now = series(null, 2, 3);
  expect(carriedOn(now, begin + 3 * minute - 1)).toBe(now);
  const later = carriedOn(now, begin + 4 * minute);
  expect(shown(later)).toBe("02 3/3, 03 3/3, 04 3/3");
  expect([later.start_date, later.end_date]).toEqual(["2026-03-01T14:02:00.000Z", "2026-03-01T14:05:00.000Z"]);
  expect(shown(carriedOn(now, begin + 90 * minute))).toBe("28 3/3, 29 3/3, 30 3/3");
  expect(shown(carriedOn(series(1, null), begin + 2 * minute))).toBe("01 |?/?, 02 ?/?");
});

test("what the stream tells is what there is now, and counts for the most of its minute", () => {
  const told = (queued: number, of: QueueSeries, after: number): QueueSeries =>
    withCounts(of, { queued, running: 1, awaiting_approval: 2, parked: 9 }, begin + after);
  let now = told(7, series(1, 2), 90_000);
  expect(shown(now)).toBe("00 1/1, 01 7/7");
  now = told(4, now, 100_000);
  expect(shown(now)).toBe("00 1/1, 01 4/7");
  now = told(5, now, 3 * minute + 1);
  expect(shown(now)).toBe("02 4/4, 03 5/5");
  expect(now.points.at(-1)?.last).toEqual({ queued: 5, running: 1, awaiting_approval: 2, deferred_deliveries: 1 });
});

test("it is known from the first count on, though nothing was known before", () => {
  const now = withCounts(series(null), { queued: 3, running: 0, awaiting_approval: 0, parked: 0 }, begin);
  expect(shown(now)).toBe("00 |3/3");
  const ofAgent = { ...series(1), agent: "planner" };
  expect(withCounts(ofAgent, { queued: 3, running: 0, awaiting_approval: 0, parked: 0 }, begin)).toBe(ofAgent);
  const empty = { ...series(), points: [] };
  expect(withCounts(empty, { queued: 3, running: 0, awaiting_approval: 0, parked: 0 }, begin)).toBe(empty);
});
