import { expect, test } from "vitest";
import { periodFrom, startOf } from "./period";

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
