// @vitest-environment jsdom
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { get } from "../api/client";
import { hearTime, timeNow, timeThere } from "../api/clock";
import { askSession, forget } from "../api/session";
import { Time } from "../components/time";
import { useNow, useSetAt } from "./now";

const minute = 60_000;
const start = Date.UTC(2026, 5, 1, 12);
const http = (time: number): string => new Date(time).toUTCString();

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  cleanup();
  hearTime(http(Date.now()), Date.now());
  expect(timeThere(0)).toBe(0);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each([-3 * 24 * 60 * minute, -120 * minute, -10 * minute, 10 * minute])("a clock that differs by %d ms does not count", (ahead) => {
  hearTime(http(start + ahead), start);
  expect(Math.abs(timeNow() - (start + ahead))).toBeLessThanOrEqual(500);
  vi.advanceTimersByTime(minute);
  expect(Math.abs(timeNow() - (start + ahead + minute))).toBeLessThanOrEqual(500);
});

test("a few seconds are no difference, and do not make the time jump", () => {
  hearTime(http(start + 4_000), start);
  expect(timeNow()).toBe(start);
  hearTime(http(start + 10 * minute), start);
  const found = timeThere(0);
  for (const more of [-3_000, 0, 3_000]) hearTime(http(start + 10 * minute + more), start);
  expect(timeThere(0)).toBe(found);
  // The clock here was set right.
  vi.setSystemTime(start + 10 * minute);
  hearTime(http(Date.now()), Date.now());
  expect(timeNow()).toBe(Date.now());
});

test.each([null, "", "yesterday"])("an answer with the date %j tells nothing", (date) => {
  hearTime(date, start);
  expect(timeNow()).toBe(start);
});

test("nor does one that took long, or was asked for before the clock was set", () => {
  hearTime(http(start + 60 * minute), start - minute);
  hearTime(http(start + 60 * minute), start + minute);
  expect(timeNow()).toBe(start);
});

test("what is asked tells the time, and what is shown follows at once", async () => {
  const there = start + 120 * minute;
  const answer = vi.fn(() =>
    Promise.resolve(new Response('{"name":"ada","role":"admin","csrf_token":"c"}', { headers: { Date: http(there) } })),
  );
  vi.stubGlobal("fetch", answer);
  const { container } = render(<Time iso={new Date(there).toISOString()} />);
  expect(container.textContent).toBe("in 2 h");
  await act(() => get("/api/x", {}));
  expect(container.textContent).toBe("just now");
  hearTime(http(start), start);
  await act(() => askSession());
  expect(container.textContent).toBe("just now");
  act(() => forget());
});

test("what is shown first begins with the right time", () => {
  hearTime(http(start + 120 * minute), start);
  const seen: number[] = [];
  renderHook(() => seen.push(useNow()));
  expect(seen[0]).toBe(timeNow());
});

test("who is no davit does not tell the time", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("", { status: 502, headers: { Date: http(start + 120 * minute) } })));
  await expect(get("/api/x", {})).rejects.toMatchObject({ status: 502 });
  expect(timeNow()).toBe(start);
});

test("a period ends where its filter was set, also hours after the page was opened", () => {
  const { result, rerender } = renderHook(({ filter }) => useSetAt(filter), { initialProps: { filter: "{}" } });
  expect(result.current).toBe(start);
  vi.advanceTimersByTime(300 * minute);
  rerender({ filter: "{}" });
  expect(result.current).toBe(start);
  rerender({ filter: '{"period":"1h"}' });
  expect(result.current).toBe(start + 300 * minute);
  vi.advanceTimersByTime(minute);
  rerender({ filter: "{}" });
  expect(result.current).toBe(start + 301 * minute);
});
