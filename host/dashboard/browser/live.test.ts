// That pages follow what happens: by one stream for all tabs, without asking again and again, through losses of the
// connection, and when one comes back to them.
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { goTo, openBrowser, openPage, signIn } from "./browser";
import { part } from "./part";
import { isLive, requestsOf } from "./requests";

const { host, opened, signedIn } = part();

// What is between the browser and davit, and may be cut.
class Wire {
  private readonly sockets = new Set<Socket>();
  private whole = true;
  private readonly server: Server;
  readonly url: Promise<string>;

  constructor(port: number) {
    this.server = createServer((near) => {
      if (!this.whole) return void near.destroy();
      const far = connect(port, "127.0.0.1");
      for (const socket of [near, far]) {
        this.sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          near.destroy();
          far.destroy();
          this.sockets.delete(socket);
        });
      }
      near.pipe(far).pipe(near);
    });
    this.url = new Promise((resolve) => {
      this.server.listen(0, "127.0.0.1", () =>
        resolve(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`),
      );
    });
  }
  cut(): void {
    this.whole = false;
    for (const socket of this.sockets) socket.destroy();
  }
  mend(): void {
    this.whole = true;
  }
  async end(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function metric(series: string): Promise<number> {
  const answer = await fetch(`${host.url}/metrics`, { headers: { Authorization: `Bearer ${host.adminToken}` } });
  const line = (await answer.text()).split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.split(" ")[1] ?? 0);
}

// Until everything that was asked for is there.
async function atRest(page: Page): Promise<void> {
  await page.waitForLoadState("domcontentloaded");
  let open = 0;
  page.on("request", (request) => (open += request.url().includes("/events") ? 0 : 1));
  for (const ended of ["requestfinished", "requestfailed"] as const)
    page.on(ended as "requestfinished", (request) => (open -= request.url().includes("/events") ? 0 : 1));
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 3_000 })));
  await expect.poll(() => open).toBeLessThanOrEqual(0);
}

// A page with a clock of its own, once it asks for nothing any more, however much time passes: neither for what it shows nor
// once more for what changed while it came up.
async function quietPage(path: string): Promise<{ page: Page; troubles: string[]; requests: string[] }> {
  const made = await opened();
  const { page } = made;
  await page.clock.install();
  const requests = requestsOf(page);
  await page.goto(`${host.url}${path}`);
  await signIn(page, host.adminToken);
  await isLive(page);
  await expect
    .poll(async () => {
      await atRest(page);
      const before = requests.length;
      await page.clock.fastForward(6_000); // more than anything rests before it is asked for once more
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      await atRest(page);
      return requests.length - before;
    })
    .toBe(0);
  requests.length = 0;
  return { ...made, requests };
}

test("while changes are told nothing is asked for again and again, and without that it is", async () => {
  const { page, troubles, requests } = await quietPage("/tasks");
  await page.clock.fastForward(20_000);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  expect(requests).toEqual([]);
  await host.issue(101, "Told and not asked for");
  await page.getByText("Told and not asked for").waitFor();
  expect(requests.length).toBeGreaterThan(0);
  expect(troubles).toEqual([]);
  await page.context().close();

  const deaf = await opened();
  await deaf.page.route("**/api/dashboard/events*", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"no more streams"}' }),
  );
  await deaf.page.clock.install();
  await deaf.page.goto(`${host.url}/tasks`);
  await signIn(deaf.page, host.adminToken);
  await deaf.page.locator("[data-live=polling]:visible").getByText("Polling").waitFor();
  const asked = requestsOf(deaf.page);
  await deaf.page.clock.fastForward(6_000);
  await expect.poll(() => asked.filter((each) => each.startsWith("/api/dashboard/tasks")).length).toBeGreaterThan(0);
  await host.issue(102, "Asked for and not told");
  await deaf.page.clock.fastForward(6_000);
  await deaf.page.getByText("Asked for and not told").waitFor();
  await deaf.page.context().close();
});

test("all tabs of a browser have one stream, and the next tab goes on with it", async () => {
  await expect.poll(() => metric("davit_event_streams")).toBe(0);
  const { page: first } = await signedIn("/tasks");
  const tabs = [first, await first.context().newPage(), await first.context().newPage()];
  for (const tab of tabs) {
    if (tab !== first) await tab.goto(`${host.url}/tasks`);
    await isLive(tab);
  }
  expect(await metric("davit_event_streams")).toBe(1);
  await host.issue(103, "Seen in every tab");
  for (const tab of tabs) await tab.getByText("Seen in every tab").waitFor();
  const left = await metric('davit_event_streams_ended_total{how="left"}');
  await tabs[0]?.close();
  await expect.poll(() => metric('davit_event_streams_ended_total{how="left"}')).toBeGreaterThan(left);
  await host.issue(104, "Seen by those that are left");
  for (const tab of tabs.slice(1)) await tab.getByText("Seen by those that are left").waitFor();
  await expect.poll(() => metric("davit_event_streams")).toBe(1);
  await first.context().close();
  await expect.poll(() => metric("davit_event_streams")).toBe(0);
});

test("the chart of the queue moves with a signed delivery, and is not asked for again", async () => {
  await host.taskOnce(await host.issue(120, "The first in the chart"), "completed");
  const { page, troubles, requests } = await quietPage("/");
  const chart = page.getByRole("img", { name: /^The queue in each minute/ });
  const lines = () => chart.evaluate((svg) => [...svg.querySelectorAll("path")].map((line) => line.getAttribute("d")).join());
  await page.getByRole("img", { name: /now 0 queued, 0 running, 0 waiting/ }).waitFor();
  const before = await lines();
  const task = await host.issue(121, "Moves the chart and takes long");
  await page.getByRole("img", { name: /now 0 queued, 1 running, 0 waiting/ }).waitFor();
  expect(await lines()).not.toBe(before);
  await host.api("POST", `/api/tasks/${task}/cancel`);
  await page.getByRole("img", { name: /at most .* 1 running.*now 0 queued, 0 running/ }).waitFor();
  expect(requests.filter((each) => each.includes("queue-series"))).toEqual([]);
  await page.getByText("As a table").click();
  await page.getByRole("region", { name: "The queue as a table" }).getByRole("row").nth(1).waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a loss of the connection is shown, and what happened meanwhile as soon as it is back", async () => {
  const wire = new Wire(Number(new URL(host.url).port));
  const url = await wire.url;
  const { page } = await opened();
  await page.goto(`${url}/tasks`);
  await signIn(page, host.adminToken);
  await isLive(page);
  wire.cut();
  await page.locator("[data-live=lost]:visible, [data-live=reconnecting]:visible").waitFor();
  await host.issue(105, "Came while nobody could hear");
  wire.mend();
  await page.getByText("Came while nobody could hear").waitFor();
  await isLive(page);
  await host.issue(106, "Came when all was well again");
  await page.getByText("Came when all was well again").waitFor();
  await page.context().close();
  await wire.end();
});

test("what an agent says is shown as it says it, without asking for the transcript", async () => {
  const id = await host.issue(107, "This one keeps talking");
  await host.taskOnce(id, "running");
  const { page, troubles } = await signedIn(`/tasks/${id}`);
  const log = page.getByRole("log", { name: "Transcript" });
  await log.getByText("reading the task", { exact: true }).waitFor();
  const requests = requestsOf(page);
  host.speak();
  await log.getByText("word 60", { exact: true }).waitFor();
  // Some are asked for where lines came before the first answer, but not one for each line.
  expect(requests.filter((each) => each.includes("/transcript")).length).toBeLessThan(20);
  await page.getByText("Completed").first().waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a page that comes back out of the browser's memory is told of changes again, by one stream", async () => {
  const keeping = await openBrowser({ keepsPages: true });
  const { page, troubles } = await openPage(keeping, host.url);
  await page.context().addCookies([await host.session()]);
  await page.goto(`${host.url}/tasks`);
  await isLive(page);
  // By the browser: a script would end with its page, before it has answered.
  const session = await page.context().newCDPSession(page);
  const go = async (step: -1 | 1): Promise<void> => {
    const { currentIndex, entries } = await session.send("Page.getNavigationHistory");
    const gone = page.waitForEvent("framenavigated");
    await session.send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex + step]?.id ?? -1 });
    await gone;
  };
  const isTold = async (title: string): Promise<void> => {
    await page.getByText(title, { exact: true }).waitFor();
    expect(await page.evaluate(() => (window as unknown as { kept?: boolean }).kept)).toBe(true);
    await isLive(page);
    expect(await metric("davit_event_streams")).toBe(1);
    const requests = requestsOf(page);
    await host.issue(131, `Told again after: ${title}`);
    await page.getByText(`Told again after: ${title}`).waitFor();
    expect(requests.length).toBeGreaterThan(0);
  };
  await page.evaluate(() => Object.assign(window, { kept: true }));
  await page.goto(`${host.url}/healthz`);
  await expect.poll(() => metric("davit_event_streams")).toBe(0);
  await host.issue(130, "Came while the page was put away");
  await go(-1);
  await isTold("Came while the page was put away");
  // Away from it by Back, and to it by Forward.
  await page.goto("about:blank");
  await page.goto(`${host.url}/tasks`);
  await isLive(page);
  await page.evaluate(() => Object.assign(window, { kept: true }));
  await go(-1);
  await expect.poll(() => metric("davit_event_streams")).toBe(0);
  await host.issue(132, "Came before one went forward");
  await go(1);
  await isTold("Came before one went forward");
  expect(troubles).toEqual([]);
  await keeping.close();
});

test.each([
  [140, "three days ahead", 3 * 24 * 60 + 1],
  [141, "two hours ahead", 121],
  [142, "ten minutes behind", -10],
])("%d: where the clock of whoever looks is %s, davit's counts", async (number, _, minutes) => {
  await host.taskOnce(await host.issue(number, "Is of this hour"), "completed");
  const { page, troubles } = await opened();
  await page.context().addInitScript((ahead) => {
    const real = Date.now.bind(Date);
    const Wrong = class extends Date {
      constructor(...given: [] | [number | string]) {
        super(...((given.length === 0 ? [real() + ahead] : given) as [number]));
      }
      static override now = (): number => real() + ahead;
    };
    Object.assign(globalThis, { Date: Wrong });
  }, minutes * 60_000);
  await page.context().addCookies([await host.session()]);
  await page.goto(`${host.url}/costs?period=24h`);
  await page.getByRole("row", { name: "command-agent" }).first().waitFor();
  await goTo(page, "/tasks?period=1h");
  const age = page.getByRole("row", { name: "Is of this hour" }).first().locator("time").first();
  expect(await age.textContent()).toMatch(/^(just now|\d+ s ago|[1-5] min ago)$/);
  await goTo(page, "/");
  // The last minute that is drawn is this one.
  const last = page.getByRole("img", { name: /^The queue in each minute/ }).locator("rect title").last();
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
  await expect.poll(async () => (await last.textContent())?.includes(`${time.format(Date.now())}:00`)).toBe(true);
  expect(troubles).toEqual([]);
  await page.context().close();
});
