// Every page: as it looks in both themes on screens and a phone, what becomes of text from outside, and what stands there
// when there is nothing to show.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Agent, Costs, Json, Queue, TaskDetail } from "../src/api/schema";
import { cutOff, sideways, violations } from "./checks";
import { goTo } from "./browser";
import { everyPage } from "./every-page";
import { type Data, canary, fill } from "./host";
import { part } from "./part";
import { isThere, isWell, isWellEverywhere, shot } from "./pictures";
import { isLive } from "./requests";

let data: Data;
const { host, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

// What the dashboard goes by; all else is a text that somebody may have written.
const known =
  /^(status|state|outcome|verdict|kind|at|metric|bucket|group_by|isolation|override|scope|sha256|cron|deadline|until|since)$|_at$|_date$|(^|_)ids?$|cursor$|_hash$/;

// The same answer with a script that turns around what stands behind it in the place of every text, and addresses that would run one.
function hostile(value: Json, name = ""): Json {
  if (known.test(name)) return value;
  if (typeof value === "string") return name === "url" ? "javascript:window.broken=1" : `${canary}\u202e`;
  if (Array.isArray(value)) return value.map((each) => hostile(each, name));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, hostile(each, member)]));
}

test.each([1280, 380])("every page is accessible in both themes, fits and stays quiet: %i px", async (width) => {
  const { page, troubles } = await signedIn("/", { theme: "light", width });
  for (const [name, path, text] of everyPage(data)) {
    await goTo(page, path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    await isWell(page, name);
    // A wide table says where it goes on, and one that fits does not.
    if (name === "costs") await expect.poll(() => page.locator("[data-more]").count()).toBe(width === 380 ? 2 : 0);
  }
  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test.each([
  { theme: "light", width: 768 },
  { theme: "dark", width: 1024 },
] as const)("every page fits between the two as well: $theme, $width px", async (look) => {
  const { page, troubles } = await signedIn("/", look);
  for (const [name, path, text] of everyPage(data)) {
    await goTo(page, path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    await isThere(page);
    expect([name, await sideways(page)]).toEqual([name, 0]);
    expect([name, await cutOff(page)]).toEqual([name, []]);
    await shot(page, `${name}-${look.theme}-${look.width}`);
  }
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("text from outside is text wherever it stands", async () => {
  const { page, troubles } = await signedIn("/tasks");
  await page.getByRole("link", { name: canary }).click();
  await page.getByRole("heading", { name: canary }).waitFor();
  await page.getByText("<script>window.broken = 1</script> is only text").waitFor();
  await page.getByText("Output", { exact: true }).click();
  await page.getByText('"<img src=x onerror=window.broken=1>"').first().waitFor();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("1. read 2. change 3. test").waitFor();
  await goTo(page, `/deliveries/${data.delivery}`);
  await page.getByRole("tab", { name: "Raw" }).click();
  await page.getByText("onerror").first().waitFor();
  await goTo(page, `/tasks?q=${encodeURIComponent(canary)}&agent=${encodeURIComponent(canary)}`);
  await page.getByText("No task is like that").waitFor();
  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
  expect(await page.locator("main script, main iframe, main object").count()).toBe(0);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("every text that the API gives comes to nothing but text, on every page", async () => {
  const { page, troubles } = await signedIn("/approvals?show=decided"); // which has no text from outside
  await page.route(
    (url) => url.pathname.startsWith("/api/dashboard/") && !url.pathname.endsWith("/events"),
    async (route) => {
      const answer = await route.fetch();
      const json = (await answer.json()) as Json;
      await route.fulfill({ response: answer, json: answer.ok() ? hostile(json) : json });
    },
  );
  for (const [name, path] of everyPage(data)) {
    await goTo(page, path);
    if (name === "missing" || name === "approvals-none-decided") continue; // which have no text from outside
    await page.getByText("window.broken").filter({ visible: true }).first().waitFor();
    for (const button of await page.getByRole("button", { name: "Plan", exact: true }).all()) await button.click();
    expect([name, await page.locator("main :is(script, img, iframe, object, style, base)").count()]).toEqual([name, 0]);
    const addresses = await page.locator("main a").evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).protocol));
    expect([name, addresses.filter((each) => each !== undefined && !/^https?:$/.test(each))]).toEqual([name, []]);
    // In texts, and in attributes that are read or said; an option keeps its value.
    const turned = (await page.content()).replace(/ value="[^"]*"/g, "").split("\u202e").map((each) => each.slice(-60));
    expect([name, turned.slice(0, -1), await page.title()]).toEqual([name, [], expect.not.stringContaining("\u202e")]);
  }
  await page.keyboard.press("?");
  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
  expect(troubles).toEqual([]);
  await page.context().close();
});

// Answers of the API, each changed by `change` before it comes to the page.
async function changed<T>(page: Page, path: string, change: (answer: T) => void): Promise<void> {
  await page.route(
    (url) => url.pathname === `/api/dashboard/${path}`,
    async (route) => {
      const answer = await route.fetch();
      const json = (await answer.json()) as T;
      change(json);
      await route.fulfill({ response: answer, json });
    },
  );
}

test("what is long is cut nowhere and pushes nothing away, and of many only some are shown", async () => {
  const long = "a-long-name-from-outside-".repeat(8);
  const { page, troubles } = await signedIn("/deliveries");
  await changed<{ agents: Agent[] }>(page, "agents", ({ agents: [agent] }) => {
    if (agent) Object.assign(agent, { display_name: long, description: long.replaceAll("-", ""), capabilities: [long] });
  });
  await changed<Costs>(page, "cost-breakdown", ({ costs: [line] }) => {
    if (line) line.group = long;
  });
  await changed<Queue>(page, "queue", (queue) => {
    const ofActor = { scope: "actor", limit_usd: 10, reserved_usd: 0, resumes_at: null } as const;
    queue.budgets.unshift(...Array.from({ length: 120 }, (_, number) => ({ ...ofActor, key: `${long}${number}`, spent_usd: number / 20 })));
  });
  for (const width of [1280, 380]) {
    await page.setViewportSize({ width, height: 860 });
    await goTo(page, "/agents");
    const head = page.getByRole("heading", { name: long });
    await head.waitFor();
    await isWell(page, "agents-long");
    // Nothing of a card lies beyond its edge.
    const beyond = await page.locator("section.card").filter({ has: head }).evaluate((card) => {
      const edge = card.getBoundingClientRect().right;
      return [...card.querySelectorAll("*")].filter((part) => part.getBoundingClientRect().right > edge + 1).map((part) => `${part.tagName} ${part.textContent.slice(0, 40)}`);
    });
    expect(beyond).toEqual([]);

    await goTo(page, "/costs");
    const name = page.getByRole("region", { name: "Numbers" }).getByTitle(long);
    await name.waitFor();
    await isWell(page, "costs-long");
    const cost = page.getByRole("region", { name: "Numbers" }).locator("tbody td").nth(1);
    expect((await cost.boundingBox())?.x).toBeLessThan(width - 100);
    const height = (path: string): Promise<number> =>
      page.locator("[data-scroll]").evaluate((scroller, at) => (at === location.pathname ? scroller.scrollHeight : Infinity), path);
    await page.getByRole("button", { name: "All 120 actors" }).waitFor();
    expect(await height("/costs")).toBeLessThan(3_000);
    await page.getByRole("button", { name: "All 120 actors" }).click();
    await page.getByRole("region", { name: "Budgets of all actors" }).waitFor();
    await isWell(page, "costs-all-actors");
    expect(await height("/costs")).toBeLessThan(3_500);
  }
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("of a chain with many tasks the one that one looks at is seen", async () => {
  const { page } = await signedIn("/deliveries");
  await changed<TaskDetail>(page, `tasks/${data.waiting}`, (task) => {
    const [first, second] = task.chain;
    if (!first || !second) throw new Error("the chain has no two tasks");
    const more = (from: number) => Array.from({ length: 15 }, (_, number) => ({ ...second, task_id: `more-${from + number}` }));
    task.chain = [first, ...more(0), second, ...more(15)];
  });
  await goTo(page, `/tasks/${data.waiting}`);
  const graph = page.getByRole("region", { name: "Graph of the chain" });
  const current = graph.locator("a[aria-current] .box");
  await current.waitFor();
  const [around, box] = [await graph.boundingBox(), await current.boundingBox()];
  if (!around || !box) throw new Error("they have no place");
  expect(Math.abs(around.x + around.width / 2 - (box.x + box.width / 2))).toBeLessThan(20);
  expect(box.y).toBeGreaterThanOrEqual(around.y);
  expect(box.y + box.height).toBeLessThanOrEqual(around.y + around.height);
  await shot(page, "chain-of-many-light-1280");
  await page.context().close();
});

test("between a phone and a screen a row of the list has its agent and its cost", async () => {
  const { page } = await signedIn("/tasks", { theme: "light", width: 768 });
  const row = page.getByRole("row").filter({ hasText: "The login page forgets" });
  await row.getByText("command-agent").filter({ visible: true }).waitFor();
  await row.getByText("$0.07").filter({ visible: true }).waitFor();
  expect(await sideways(page)).toBe(0);
  await shot(page, "tasks-light-768");
  await page.context().close();
});

test("nothing moves for whoever wants no motion, and what is chosen shows without our colours", async () => {
  const { page } = await signedIn(`/tasks/${data.running}`);
  await page.emulateMedia({ reducedMotion: "reduce", forcedColors: "active" });
  await page.getByText("this will take a while").waitFor();
  // What moved before it was asked for may end.
  const moving = (): Promise<number> => page.evaluate(() => document.getAnimations().filter((each) => each.playState === "running").length);
  await expect.poll(moving).toBe(0);
  const outline = (name: string): Promise<string> =>
    page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).evaluate((link) => getComputedStyle(link).outlineStyle);
  expect([await outline("Tasks"), await outline("Costs")]).toEqual(["solid", "none"]);
  expect(await violations(page)).toEqual([]);
  await shot(page, "task-running-forced-1280");
  await page.context().close();
});

test("the chosen theme is kept", async () => {
  const { page } = await signedIn();
  const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  await expect.poll(paper).not.toBe(light);
  const dark = await paper();
  await page.reload();
  await expect.poll(paper).toBe(dark);
  await page.context().close();
});

test("while an answer is awaited its place is held; where none comes the reason stands, with a way to try again", async () => {
  const { page } = await signedIn("/approvals?show=decided");
  await isLive(page); // so that nothing is asked for because the stream of changes begins
  let answer: "none" | "bad" | "good" = "none";
  const awaited: (() => void)[] = [];
  await page.route(
    (url) => url.pathname.startsWith("/api/dashboard/") && !url.pathname.endsWith("/events"),
    async (route) => {
      if (answer === "none") await new Promise<void>((resolve) => awaited.push(resolve));
      if (answer === "good") return route.fallback();
      await route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ title: "Internal", status: 500, detail: `the disk is full ${canary}`, request_id: "r-17" }),
      });
    },
  );
  for (const [name, path, text] of everyPage(data)) {
    if (["overview", "tasks", "task-done", "deliveries", "audit"].includes(name)) {
      answer = "none";
      await goTo(page, path);
      await page.getByRole("status", { name: "Loading" }).first().waitFor();
      expect([name, await violations(page)]).toEqual([name, []]);
      await shot(page, `${name}-loading-light-1280`);
      answer = "bad";
      for (const go of awaited.splice(0)) go();
      await page.getByText("This could not be loaded").first().waitFor();
      await page.getByText("the disk is full").first().waitFor();
      await page.getByText("r-17").first().waitFor();
      expect([name, await violations(page)]).toEqual([name, []]);
      await shot(page, `${name}-error-light-1280`);
      answer = "good";
      await page.getByRole("button", { name: "Try again" }).first().click();
      await page.getByText(text).filter({ visible: true }).first().waitFor();
      await goTo(page, "/nowhere");
      await page.getByText("There is no such page").waitFor();
    }
  }
  await page.context().close();
});

test("a page whose files are gone says so, and a task that is not there is told in the words of the API", async () => {
  const { page } = await signedIn();
  await page.route("**/assets/agents-page-*", (route) => route.fulfill({ status: 404 }));
  await goTo(page, "/agents");
  // Everything is loaded anew first, in case that davit was replaced.
  await page.getByText("This page cannot be shown").waitFor();
  expect(await violations(page)).toEqual([]);
  await goTo(page, "/tasks/nobody");
  await page.getByText("This could not be loaded").waitFor();
  await page.getByText("task nobody does not exist").waitFor();
  await isLive(page);
  await page.context().close();
});

// The last one: it ends the host.
test("when davit is gone, what is shown is called stale, and the reason stands where nothing can be", async () => {
  const { page } = await signedIn();
  await isLive(page);
  await page.getByText("Latest failures").waitFor();
  await isThere(page);
  await host.stop();
  await page.locator("[data-live=lost]:visible").getByText("Stale").waitFor();
  expect(await page.getByText("Latest failures").count()).toBe(1);
  await isWellEverywhere(page, "stale");
  await goTo(page, `/tasks/${data.done}`);
  await page.getByText("davit does not answer. Is it running?").waitFor();
  await isWellEverywhere(page, "gone");
  await page.context().close();
});
