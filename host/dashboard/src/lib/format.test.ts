import { describe, expect, test } from "vitest";
import { bytes, compact, counted, duration, percent, relative, shortId, times, usd } from "./format";

describe("usd", () => {
  test("shows cents, and what is below one to its fourth digit", () => {
    expect([usd(0), usd(0.0042), usd(0.01), usd(12.345), usd(1234567.8)]).toEqual([
      "$0.00",
      "$0.0042",
      "$0.01",
      "$12.35",
      "$1,234,567.80",
    ]);
  });
});

describe("percent", () => {
  test("rounds nothing up to everything", () => {
    expect([percent(0), percent(1), percent(0.6667), percent(0.99999)]).toEqual(["0 %", "100 %", "66.7 %", "99.9 %"]);
  });
});

describe("duration", () => {
  test.each([
    [0.0426, "43 ms"],
    [3.21, "3.2 s"],
    [59.6, "60 s"],
    [60, "1 min"],
    [3599.7, "1 h"],
    [5_400, "1 h 30 min"],
    [200_000, "2 d 7 h"],
  ])("of %d seconds is %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("relative", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  test.each([
    ["2026-03-01T11:59:57Z", "just now"],
    ["2026-03-01T11:59:30Z", "30 s ago"],
    ["2026-03-01T11:00:00Z", "1 h ago"],
    ["2026-02-20T12:00:00Z", "9 d ago"],
    ["2026-02-27T12:00:01Z", "47 h ago"],
    ["2026-03-01T14:00:00Z", "in 2 h"],
    ["2026-03-01T12:59:50Z", "in 1 h"],
    ["2026-03-03T11:59:50Z", "in 2 d"],
    ["2026-03-08T11:59:30Z", "in 7 d"],
  ])("of %s is %s", (time, text) => {
    expect(relative(Date.parse(time), now)).toBe(text);
  });
});

test("small words of numbers", () => {
  expect([times(1), times(2), times(1000)]).toEqual(["once", "twice", "1,000 times"]);
  expect([counted(1, "task"), counted(1_500, "task")]).toEqual(["1 task", "1,500 tasks"]);
  expect([compact(9_999), compact(163_300)]).toEqual(["9,999", "163.3K"]);
  expect([bytes(1023), bytes(8704), bytes(3 << 20)]).toEqual(["1023 B", "8.5 KiB", "3.0 MiB"]);
  expect(shortId("01a21874-4548-71b1-bd72-1bf002984912")).toBe("1bf002984912");
});
