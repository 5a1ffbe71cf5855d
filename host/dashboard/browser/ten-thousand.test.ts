// A list of ten thousand rows: that it is scrolled through without gaps, and follows changes, at what cost to the browser.
// What that takes is only noted, in ten-thousand.txt beside the pictures: `scripts/bench dashboard` shows it, docs/PERFORMANCE.md
// keeps it.
import type { CDPSession, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { TaskPage } from "../src/api/schema";
import { goTo } from "./browser";
import { part } from "./part";
import { note } from "./pictures";
import { isLive, requestsOf } from "./requests";

const rows = 10_000;
const ids: string[] = []; // a hundred at a time were made: in no order within them
const { host, opened, signedIn } = part({}, async (filled) => {
  await filled.api("POST", "/api/queue/pause", { agent: "third" });
  for (let made = 0; made < rows; made += 100) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        filled.api("POST", "/api/tasks", { agent: "third", title: `Row ${made + index}`, payload: {} }),
      ),
    );
    for (const answer of answers) ids.push((answer as { task_id: string }).task_id);
  }
});

let page: Page;
let troubles: string[];
// A page of the same height with nothing on it, to compare with.
async function emptyPage(): Promise<Page> {
  const { page: empty } = await opened();
  await empty.setContent(`<div style="height: ${rows * 46}px"></div>`);
  return empty;
}

interface Frames {
  frames: number;
  median: number; // milliseconds between two frames, as the other two
  p99: number;
  longest: number;
  longestTask: number; // milliseconds of the main thread at one go; 0: none was longer than 50
  busy: number; // share of the main thread
}

async function busyMilliseconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find((each) => each.name === "TaskDuration")?.value ?? 0) * 1_000;
}

// Scrolls as a finger on a touchpad does, for four seconds.
async function scrolled(shown: Page): Promise<Frames> {
  const session = await shown.context().newCDPSession(shown);
  await session.send("Performance.enable");
  await shown.evaluate(() => {
    const seen = { at: [] as number[], tasks: [] as number[], stopped: false };
    (window as unknown as { seen: typeof seen }).seen = seen;
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({
      type: "longtask",
    });
    const frame = (at: number): void => {
      seen.at.push(at);
      if (!seen.stopped) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const before = await busyMilliseconds(session);
  const began = performance.now();
  await session.send("Input.synthesizeScrollGesture", { x: 600, y: 500, yDistance: -40_000, speed: 10_000 });
  const busy = ((await busyMilliseconds(session)) - before) / (performance.now() - began);
  const { at, tasks } = await shown.evaluate(() => {
    const { seen } = window as unknown as { seen: { at: number[]; tasks: number[]; stopped: boolean } };
    seen.stopped = true;
    return seen;
  });
  await session.detach();
  const times = at.slice(1).map((each, index) => each - (at[index] ?? 0)).sort((one, other) => one - other);
  const quantile = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    frames: times.length,
    median: quantile(0.5),
    p99: quantile(0.99),
    longest: quantile(1),
    longestTask: Math.max(0, ...tasks),
    busy,
  };
}

const inWords = ({ frames, median, p99, longest, longestTask, busy }: Frames): string =>
  `${frames} frames, ${median.toFixed(1)} ms between two of them, p99 ${p99.toFixed(1)}, longest ${longest.toFixed(1)} ms; ` +
  `longest task ${longestTask === 0 ? "below 50" : longestTask.toFixed(0)} ms; ${(busy * 100).toFixed(0)} % of the main thread`;

// The row at that place of the list, from 1, if it is in the document.
const rowAt = (place: number) => page.locator(`[role=row][aria-rowindex="${place + 1}"]`);

// Where the list shows no row, or one without its title: heights within it, in pixels.
const blanks = (): Promise<number[]> =>
  page.getByRole("table", { name: "Tasks" }).evaluate((table) => {
    const box = table.getBoundingClientRect();
    const head = table.querySelector("[role=row]")?.getBoundingClientRect().bottom ?? box.top;
    const found: number[] = [];
    for (let y = head + 3; y < box.bottom - 3; y += 20) {
      const row = document.elementFromPoint(box.left + box.width / 2, y)?.closest("[role=row]");
      if (!/Row \d+/.test(row?.textContent ?? "")) found.push(Math.round(y - box.top));
    }
    return found;
  });

test("it is loaded as one scrolls down", async () => {
  ({ page, troubles } = await signedIn("/tasks?agent=third"));
  await isLive(page);
  const table = page.getByRole("table", { name: "Tasks" });
  await expect
    .poll(
      async () => {
        await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return table.getAttribute("aria-rowcount");
      },
      { timeout: 120_000, interval: 20 },
    )
    .toBe(String(rows + 1));
});

test("it is scrolled through without gaps, and only what is seen is in the document", async () => {
  const table = page.getByRole("table", { name: "Tasks" });
  // To the top at once, while the last rows are laid out: it gets there, and stays.
  await table.evaluate((element) => element.scrollTo(0, 0));
  const { tasks } = (await host.api("GET", "/api/dashboard/tasks?agent=third&limit=1")) as unknown as TaskPage;
  await rowAt(1).getByText(tasks[0]?.title ?? "no title", { exact: true }).waitFor();
  await expect.poll(blanks).toEqual([]);
  expect(await table.evaluate((element) => element.scrollTop)).toBe(0);
  const empty = await emptyPage();
  note("ten-thousand.txt", `an empty page scrolled: ${inWords(await scrolled(empty))}`);
  await empty.context().close();
  await page.bringToFront();
  const frames = await scrolled(page);
  note("ten-thousand.txt", `a list of ${rows} rows scrolled: ${inWords(frames)}`);
  expect(frames.frames).toBeGreaterThan(0);
  expect(await table.evaluate((element) => element.scrollTop)).toBeGreaterThan(30_000);
  expect(await page.getByRole("row").count()).toBeLessThan(80);
  await expect.poll(blanks).toEqual([]);
  // From end to end in leaps: each time the next frame has the rows.
  const most = await table.evaluate(async (element) => {
    let count = 0;
    for (let leap = 0; leap <= 40; ++leap) {
      element.scrollTo(0, (element.scrollHeight * leap) / 40);
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      count = Math.max(count, element.querySelectorAll("[role=row]").length);
    }
    return count;
  });
  expect(most).toBeLessThan(80);
  await expect.poll(blanks).toEqual([]);
  await rowAt(rows).waitFor();
});

test("it follows a hundred changes a second", async () => {
  const changed = 500;
  // Those at the end of the list were made first.
  await page.getByRole("table", { name: "Tasks" }).evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await rowAt(rows).waitFor();
  await page.evaluate(() => {
    const counted = window as unknown as { updates: number };
    counted.updates = 0;
    new MutationObserver(() => ++counted.updates).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const requests = requestsOf(page);
  const before = await busyMilliseconds(session);
  const began = performance.now();
  for (let done = 0; done < changed; done += 10) {
    await Promise.all(ids.slice(done, done + 10).map((id) => host.api("POST", `/api/tasks/${id}/cancel`)));
    const ahead = began + (done + 10) * 10 - performance.now();
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead)); // a hundred a second, no more
  }
  const seconds = (performance.now() - began) / 1_000;
  await expect
    .poll(() => page.getByRole("row", { name: /Row \d+ / }).filter({ hasText: "Queued" }).count())
    .toBe(0);
  const updates = await page.evaluate(() => (window as unknown as { updates: number }).updates);
  const cost = (await busyMilliseconds(session)) - before;
  note(
    "ten-thousand.txt",
    `${changed} changes in ${seconds.toFixed(1)} s of ${rows} rows: ${updates} updates of the page, ` +
      `${(cost / updates).toFixed(1)} ms of its main thread each, ${(cost / seconds / 10).toFixed(0)} % of it`,
  );

  expect(updates).toBeLessThan(changed);
  // The list is corrected where it stands: a hundred pages are not asked for again.
  expect(requests.filter((each) => each.startsWith("/api/dashboard/tasks"))).toEqual([]);
  expect(await page.getByRole("row").count()).toBeLessThan(80);
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});
