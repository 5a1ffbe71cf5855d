import { expect, test } from "vitest";
import { dayFrom, endOfDay, periodFrom, startOf, startOfDay, today } from "./period";

test("a period begins at a whole minute, so that all who ask within one ask the same", () => {
  const early = startOf("24h", Date.parse("2026-03-02T10:20:01Z"));
  expect(early).toBe("2026-03-01T10:20:00.000Z");
  expect(startOf("24h", Date.parse("2026-03-02T10:20:59Z"))).toBe(early);
});

test("what is no period is none", () => {
  expect([periodFrom("7d"), periodFrom("8d"), periodFrom(7), periodFrom(undefined)]).toEqual([
    "7d",
    undefined,
    undefined,
    undefined,
  ]);
});

test("a day is one of whoever looks, also where the clocks are changed", () => {
  // Berlin; on 29 March 2026 the day has 23 hours.
  expect([startOfDay("2026-03-29"), endOfDay("2026-03-29")]).toEqual([
    "2026-03-28T23:00:00.000Z",
    "2026-03-29T22:00:00.000Z",
  ]);
  expect(today(Date.parse("2026-03-31T22:30:00Z"))).toBe("2026-04-01");
});

test("what is no day is none", () => {
  expect(["2026-03-01", "2024-02-29"].map(dayFrom)).toEqual(["2026-03-01", "2024-02-29"]);
  for (const none of ["2026-3-1", "2026-13-01", "2026-02-31", "2026-02-29", "2026-00-10", "2026-04-00", "x", "", 7])
    expect(dayFrom(none)).toBeUndefined();
});
