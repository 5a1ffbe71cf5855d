// Each filter of each page: what is shown is exactly what the API finds for it, and the address holds it, through a reload
// and through Back.
import type { Locator, Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { AuditPage, Chains, Costs, DeliveryPage, Json, Queue, Refusals, TaskPage } from "../src/api/schema";
import { count, duration, percent, times, usd, words } from "../src/lib/format";
import { goTo, setClockThere, signIn } from "./browser";
import { violations } from "./checks";
import { type Data, fill } from "./host";
import { part } from "./part";
import { isThere } from "./pictures";

let data: Data;
const { host, opened, signedIn } = part({ webhooks: ["github", "sentry"] }, async (filled) => {
  data = await fill(filled);
});

const found = (path: string): Promise<Json> => host.api("GET", `/api/dashboard/${path}`);

const addresses = (links: Locator): Promise<(string | null)[]> =>
  links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));

// The page stays as it is: when it is loaded anew, and when one comes back to it.
async function isKept(page: Page, shown: () => Promise<unknown>): Promise<void> {
  const { url, before } = { url: page.url(), before: await shown() };
  await page.reload();
  await expect.poll(shown).toEqual(before);
  expect(page.url()).toBe(url);
  await goTo(page, "/agents");
  await page.getByRole("heading", { name: "Agents" }).waitFor();
  await page.goBack();
  await expect.poll(shown).toEqual(before);
  expect(page.url()).toBe(url);
}

// What the address says behind its "?".
const parametersOf = (page: Page): Record<string, string> => Object.fromEntries(new URL(page.url()).searchParams);

// Chooses it by its name, and shows what the API finds then: `wanted` of the parameters that the address has.
async function narrows<T>(
  page: Page,
  [name, value, address]: readonly [name: string, value: string, address: string],
  shown: () => Promise<T>,
  wanted: (parameters: string) => Promise<T>,
): Promise<T> {
  await page.getByLabel(name, { exact: true }).selectOption(value);
  await expect.poll(() => parametersOf(page)).toEqual(Object.fromEntries(new URLSearchParams(address)));
  const expected = await wanted(address);
  await expect.poll(shown).toEqual(expected);
  await isKept(page, shown);
  return expected;
}

// From now on, when the requests for that say they begin.
function beginnings(page: Page, path: string): (string | null)[] {
  const starts: (string | null)[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname === path) starts.push(url.searchParams.get("start_date"));
  });
  return starts;
}

// Chooses a period; gives from when on it is asked for.
async function choosePeriod(page: Page, period: string, starts: (string | null)[]): Promise<string> {
  const before = starts.at(-1);
  await page.getByLabel("Time", { exact: true }).selectOption(period);
  await expect.poll(() => parametersOf(page)["period"]).toBe(period);
  await expect.poll(() => starts.at(-1)).not.toBe(before);
  return starts.at(-1) ?? "";
}

// Periods count from when one looks. So that they leave something out, one looks from a time to come.
const later = (days: number): number => Date.now() + days * 86_400_000;
async function lookLater(page: Page): Promise<void> {
  const twoDays = 2 * 86_400_000;
  await page.clock.setSystemTime(later(2));
  await setClockThere(page, twoDays);
}

describe("of tasks", () => {
  const rows = (page: Page) => (): Promise<(string | null)[]> =>
    addresses(page.getByRole("table", { name: "Tasks" }).getByRole("link"));
  const wanted = async (parameters: string): Promise<string[]> =>
    ((await found(`tasks?limit=500&${parameters}`)) as unknown as TaskPage).tasks.map((task) => `/tasks/${task.task_id}`);

  test("by status, agent and source", async () => {
    const { page, troubles } = await signedIn("/tasks");
    const all = await wanted("");
    await expect.poll(rows(page)).toEqual(all);
    for (const choice of [
      ["Status", "failed", "status=failed"],
      ["Agent", "second", "agent=second"],
      ["Source", "chain", "source=chain"],
    ] as const) {
      const left = await narrows(page, choice, rows(page), wanted);
      expect([choice, left.length]).toEqual([choice, 1]);
      await page.getByRole("button", { name: "Clear" }).click();
      await expect.poll(rows(page)).toEqual(all);
      expect(page.url()).toBe(`${host.url}/tasks`);
    }
    // All of them together.
    await page.getByLabel("Source", { exact: true }).selectOption("github");
    await expect.poll(() => page.url()).toContain("source=github");
    await page.getByLabel("Agent", { exact: true }).selectOption("command-agent");
    await expect.poll(() => page.url()).toContain("agent=command-agent");
    const choice = ["Status", "completed", "source=github&agent=command-agent&status=completed"] as const;
    const both = await narrows(page, choice, rows(page), wanted);
    expect(both.length).toBe(3);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("by time: a period, and from day to day", async () => {
    const { page } = await opened();
    await lookLater(page);
    const starts = beginnings(page, "/api/dashboard/tasks");
    await page.context().addCookies([await host.session()]);
    await page.goto(`${host.url}/tasks`);
    const all = await wanted("");
    await expect.poll(rows(page)).toEqual(all);
    for (const [period, left] of [["24h", 0], ["7d", all.length]] as const) {
      const start = await choosePeriod(page, period, starts);
      const expected = await wanted(`start_date=${start}`);
      expect(expected.length).toBe(left);
      if (left === 0) await page.getByText("No task is like that").waitFor();
      await expect.poll(rows(page)).toEqual(expected);
      await isKept(page, rows(page));
    }
    await page.getByLabel("Time", { exact: true }).selectOption("days");
    await page.getByText("No task is like that").waitFor(); // today has none: it is the day after tomorrow
    const day = (date: number): string => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(date);
    await page.getByLabel("From", { exact: true }).fill(day(later(0)));
    await expect.poll(rows(page)).toEqual(all);
    await page.getByLabel("To", { exact: true }).fill(day(later(0)));
    await expect.poll(() => parametersOf(page)).toEqual({ from: day(later(0)), to: day(later(0)) });
    await expect.poll(rows(page)).toEqual(all);
    await isKept(page, rows(page));
    await page.getByLabel("To", { exact: true }).fill(day(later(-1)));
    await page.getByLabel("From", { exact: true }).fill(day(later(-3)));
    await page.getByText("No task is like that").waitFor();
    await page.context().close();
  });

  test("what cannot be asked for is said in the words of the page, and nothing of it is offered as a file", async () => {
    const { page, troubles } = await signedIn("/tasks");
    for (const [search, sentence] of [
      ["from=2026-03-02&to=2026-03-01", "From is later than To"],
      [`q=${"x".repeat(201)}`, "What is searched for must have at most 200 characters"],
      [`q=${Array.from({ length: 17 }, (_, index) => `word${index}`).join("+")}`, "What is searched for must have at most 16 words"],
    ] as const) {
      await goTo(page, `/tasks?${search}`);
      await page.getByRole("alert").getByText(sentence).waitFor();
      await expect.poll(async () => [sentence, await page.getByRole("button", { name: /file$|Try again/ }).count()]).toEqual([sentence, 0]);
      expect(await violations(page)).toEqual([]);
    }
    await page.getByRole("button", { name: "Clear" }).click();
    await expect.poll(rows(page)).toEqual(await wanted(""));
    await page.getByRole("button", { name: "NDJSON file" }).waitFor();
    expect(troubles.filter((trouble) => !trouble.includes("400"))).toEqual([]); // a refusal is told by the browser as well
    await page.context().close();
  });

  test("by words, and by what a task is about", async () => {
    const { page } = await signedIn("/tasks");
    await page.getByRole("row").nth(1).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("frobnicate");
    await expect.poll(() => page.url()).toContain("q=frobnicate");
    await expect.poll(rows(page)).toEqual(await wanted("q=frobnicate"));
    expect(await rows(page)()).toEqual([`/tasks/${data.failed}`]);
    await isKept(page, rows(page));
    await goTo(page, `/deliveries/${data.delivery}`);
    const entity = (await host.task(data.hostile)).entity ?? "";
    await page.getByRole("link", { name: entity, exact: true }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("entity")).toBe(entity);
    await expect.poll(rows(page)).toEqual(await wanted(`entity=${encodeURIComponent(entity)}`));
    expect(await rows(page)()).toEqual([`/tasks/${data.hostile}`]);
    await isKept(page, rows(page));
    await page.getByTitle("Show tasks of everything").click();
    await expect.poll(rows(page)).toEqual(await wanted(""));
    await page.context().close();
  });

  test("a period begins where the list was opened, however long one looks", async () => {
    const { page } = await opened();
    await page.clock.install();
    const starts = beginnings(page, "/api/dashboard/tasks");
    await page.goto(`${host.url}/tasks?period=24h`);
    await signIn(page, host.adminToken);
    await page.getByRole("row").nth(1).waitFor();
    // What davit answers meanwhile says that it is then.
    await page.evaluate(() => {
      const said = Headers.prototype.get;
      Headers.prototype.get = function (name) {
        return name === "Date" ? new Date(Date.parse(said.call(this, name) ?? "") + 130_000).toUTCString() : said.call(this, name);
      };
    });
    await page.clock.runFor(130_000);
    // The ages of the rows have moved on, and with them whatever else goes by the time.
    await page.getByText(/^[2-9] min ago$/).first().waitFor();
    expect(starts.length).toBeGreaterThan(0);
    expect(new Set(starts).size).toBe(1);
    await page.context().close();
  });
});

describe("of deliveries", () => {
  beforeAll(async () => {
    await host.sentryIssue(1, "A task from elsewhere");
    await host.post("issues", '{"action": "labeled"}', "a-secret-for-tests-0123456789");
  });

  const lines = (page: Page) => (): Promise<(string | null)[]> =>
    addresses(page.getByRole("region", { name: "Deliveries" }).getByRole("link"));
  const wanted = async (parameters: string): Promise<string[]> =>
    ((await found(`deliveries?limit=500&${parameters}`)) as unknown as DeliveryPage).deliveries.map(
      (each) => `/deliveries/${each.delivery_id}`,
    );

  test("by webhook and verdict, and by both", async () => {
    const { page, troubles } = await signedIn("/deliveries");
    const all = await wanted("");
    await expect.poll(lines(page)).toEqual(all);
    const sums: Record<string, number> = {};
    for (const [name, values] of [
      ["Webhook", ["github", "sentry"]],
      ["Verdict", ["queued", "ignored", "error"]],
    ] as const) {
      for (const value of values) {
        const left = await narrows(page, [name, value, `${name.toLowerCase()}=${value}`], lines(page), wanted);
        expect([value, left.length > 0, left.length < all.length]).toEqual([value, true, true]);
        sums[name] = (sums[name] ?? 0) + left.length;
      }
      await page.getByLabel(name, { exact: true }).selectOption("");
      await expect.poll(lines(page)).toEqual(all);
      expect(page.url()).toBe(`${host.url}/deliveries`);
    }
    expect(sums).toEqual({ Webhook: all.length, Verdict: all.length });
    await page.getByLabel("Webhook", { exact: true }).selectOption("sentry");
    await expect.poll(() => page.url()).toContain("webhook=sentry");
    await narrows(page, ["Verdict", "ignored", "webhook=sentry&verdict=ignored"], lines(page), wanted);
    await page.getByText("No delivery is like that").waitFor();
    // What was turned away is no delivery, and counted beside them.
    const { causes } = (await found("refused-deliveries")) as unknown as Refusals;
    expect(causes.map(({ cause }) => cause)).toContain("mismatch");
    await page.getByRole("listitem").filter({ hasText: "github" }).getByText("signature does not match", { exact: true }).waitFor();
    for (const { webhook, cause, count: often } of causes) {
      const why = cause === "mismatch" ? "signature does not match" : words(cause);
      await page.getByRole("listitem").filter({ hasText: webhook + why + times(often) }).waitFor();
    }
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});

// The table of costs: each line's name, cost and executions.
const costTable = (page: Page) => async (): Promise<string[][]> => {
  const rows = page.getByRole("region", { name: "Numbers" }).getByRole("row");
  return rows.evaluateAll((all) =>
    all.slice(1).map((row) => [...row.querySelectorAll("td")].slice(0, 3).map((cell) => cell.textContent)),
  );
};

describe("of costs", () => {
  const shown = costTable;
  const wanted = (by: string) => async (parameters: string): Promise<string[][]> => {
    const costs = (await found(`cost-breakdown?group_by=${by}&${parameters}`)) as unknown as Costs;
    if (costs.costs.length === 0) return [];
    return [
      ...costs.costs.map((line) => [line.group ?? "(none)", usd(line.total_cost_usd), count(line.executions)]),
      ["In all", usd(costs.total_cost_usd), ""],
    ];
  };

  test("by agent, and what they are summed up by", async () => {
    const { page, troubles } = await signedIn("/costs");
    const all = await wanted("agent")("");
    await expect.poll(shown(page)).toEqual(all);
    const one = await narrows(page, ["Agent", "command-agent", "agent=command-agent"], shown(page), wanted("agent"));
    expect(one.map(([name]) => name)).toEqual(["command-agent", "In all"]);
    for (const by of ["day", "task type", "model", "source"]) {
      await page.getByRole("group", { name: "Group by" }).getByRole("button", { name: by, exact: true }).click();
      await expect.poll(() => page.url()).toContain(`by=${by.replace(" ", "_")}`);
      await expect.poll(shown(page)).toEqual(await wanted(by.replace(" ", "_"))("agent=command-agent"));
      await isKept(page, shown(page));
    }
    await page.getByLabel("Agent", { exact: true }).selectOption("third");
    await page.getByText("Nothing was run in this time").waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("by time", async () => {
    const { page } = await opened();
    const starts = beginnings(page, "/api/dashboard/cost-breakdown");
    await page.context().addCookies([await host.session()]);
    await page.goto(`${host.url}/costs`);
    await expect.poll(shown(page)).toEqual(await wanted("agent")(""));
    // All that was spent here was spent today, and days are counted whole: so when the days begin is looked at as well.
    for (const [period, hours] of [["1h", 1], ["24h", 24], ["7d", 168], ["90d", 2160], ["30d", 720]] as const) {
      const start = await choosePeriod(page, period, starts);
      const past = Date.now() - Date.parse(start) - hours * 3_600_000;
      expect([period, past >= 0, past < 180_000]).toEqual([period, true, true]);
      await expect.poll(shown(page)).toEqual(await wanted("agent")(`start_date=${start}`));
      await isKept(page, shown(page));
    }
    await page.context().close();
  });
});

// All that was spent here was spent today: so the API is given a past of more days, and answers for those that are asked for.
test("costs of several days: the chart, the table and the sum are what the API says, to the cent, for each time", async () => {
  const dayBefore = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  const { page, troubles } = await signedIn("/agents");
  let said: Costs | undefined;
  await page.route("**/api/dashboard/cost-breakdown?*", async (route) => {
    const answer = await route.fetch();
    const real = (await answer.json()) as Costs;
    const start = new URL(route.request().url()).searchParams.get("start_date")?.slice(0, 10) ?? dayBefore(30);
    const [line] = real.costs;
    if (!line) throw new Error("the API has no costs at all");
    // As the API does: the oldest first, and days counted whole.
    const costs = ([[60, 99.99], [20, 0.005], [5, 1234.565], [1, 12.345], [0, 0.07]] as const)
      .map(([ago, total_cost_usd]) => ({ ...line, group: dayBefore(ago), total_cost_usd, executions: 3 + ago }))
      .filter((day) => day.group >= start);
    said = { ...real, costs, total_cost_usd: costs.reduce((sum, day) => sum + day.total_cost_usd, 0) };
    await route.fulfill({ response: answer, json: said });
  });
  await page.getByRole("link", { name: "Costs", exact: true }).click();
  await page.getByRole("button", { name: "day", exact: true }).click();
  const chart = page.getByRole("table", { name: "Cost by day" });
  const shownNow = async (): Promise<unknown> => ({
    bars: await chart.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("th, td span:first-of-type")].map((cell) => cell.textContent))),
    table: await costTable(page)(),
    note: await page.getByText(/ in all · days are UTC$/).textContent(),
  });
  for (const [period, left] of [["30d", 4], ["90d", 5], ["7d", 3], ["24h", 2]] as const) {
    await page.getByLabel("Time", { exact: true }).selectOption(period);
    const wantedNow = (): unknown => ({
      bars: said?.costs.map((day) => [day.group, usd(day.total_cost_usd)]),
      table: [...(said?.costs ?? []).map((day) => [day.group, usd(day.total_cost_usd), count(day.executions)]), ["In all", usd(said?.total_cost_usd ?? 0), ""]],
      note: `${usd(said?.total_cost_usd ?? 0)} in all · days are UTC`,
    });
    await expect.poll(() => said?.costs.length).toBe(left);
    await expect.poll(shownNow).toEqual(wantedNow());
    // The longest bar is that of the dearest day, and the others are as long as they are dear.
    const most = Math.max(...(said?.costs ?? []).map((day) => day.total_cost_usd));
    const lengths = await chart.locator("rect.fill-accent").evaluateAll((all) => all.map((bar) => Number(bar.getAttribute("width"))));
    expect(lengths).toEqual((said?.costs ?? []).map((day) => Math.max((day.total_cost_usd / most) * 100, 0.6)));
  }
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("the chains and budgets beside the costs are those of the API", async () => {
  const { page, troubles } = await signedIn("/costs");
  const rows = (): Promise<string[][]> =>
    page.getByRole("region", { name: "Chains" }).getByRole("row").evaluateAll((all) =>
      all.slice(1).map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
    );
  const wanted = async (parameters: string): Promise<string[][]> =>
    Object.entries(((await found(`agent-chain-analytics?${parameters}`)) as unknown as Chains).chain_patterns).map(
      ([name, { count: often, success_rate, avg_duration, total_cost_usd }]) => [
        name,
        count(often),
        success_rate === null ? "–" : percent(success_rate),
        avg_duration === null ? "–" : duration(avg_duration),
        usd(total_cost_usd),
      ],
    );
  const all = await wanted("");
  expect(all.length).toBeGreaterThan(0);
  await expect.poll(rows).toEqual(all);
  const { budgets } = (await found("queue")) as unknown as Queue;
  expect(budgets.length).toBeGreaterThan(0);
  for (const { limit_usd, spent_usd, reserved_usd } of budgets) {
    const left = usd(Math.max(limit_usd - spent_usd - reserved_usd, 0));
    await page.getByText(`${left} left of ${usd(limit_usd)}`, { exact: true }).waitFor();
  }
  expect(troubles).toEqual([]);
  await page.context().close();
});

describe("of the audit log", () => {
  beforeAll(async () => {
    const { token } = (await host.api("POST", "/api/tokens", { name: "alice", role: "admin" })) as { token: string };
    const by = (whose: string, path: string, body: object): Promise<Response> =>
      fetch(host.url + path, {
        method: "POST",
        headers: { Authorization: `Bearer ${whose}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    await by(token, "/api/queue/pause", { agent: "third" });
    await by(token, "/api/tasks/nobody/cancel", {});
    await by(host.readerToken, "/api/queue/pause", { agent: "third" });
  });

  interface Entry {
    outcome: string;
    actor: string;
    operation: string;
  }
  const lines = (page: Page) => (): Promise<Entry[]> =>
    page.getByRole("region", { name: "Audit log" }).getByRole("listitem").evaluateAll((all) =>
      all.map((line) => {
        const [outcome, actor, what] = [...(line.firstElementChild?.children ?? [])];
        return {
          outcome: outcome?.textContent.replace(/^[^a-z]*/, "") ?? "",
          actor: actor?.textContent ?? "",
          operation: what?.querySelector("span")?.firstChild?.textContent ?? "",
        };
      }),
    );
  const wanted = async (parameters: string): Promise<Entry[]> =>
    ((await found(`audit?limit=500&${parameters}`)) as unknown as AuditPage).entries.map((entry) => ({
      outcome: entry.outcome,
      actor: entry.actor ?? "somebody",
      operation: entry.operation.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`),
    }));

  test("by who, operation and outcome", async () => {
    const { page, troubles } = await signedIn("/audit");
    const all = await wanted("");
    await expect.poll(lines(page)).toEqual(all);
    for (const [name, parameter, values] of [
      ["Who", "actor", ["alice", "reader", "admin"]],
      ["Operation", "operation", ["pauseQueue", "createToken"]],
      ["Outcome", "outcome", ["done", "denied"]],
    ] as const) {
      for (const value of values) {
        const left = await narrows(page, [name, value, `${parameter}=${value}`], lines(page), wanted);
        expect([value, left.length > 0, left.length < all.length]).toEqual([value, true, true]);
        await page.getByLabel(name, { exact: true }).selectOption("");
        await expect.poll(lines(page)).toEqual(all);
      }
    }
    await page.getByLabel("Who", { exact: true }).selectOption("alice");
    await expect.poll(() => page.url()).toContain("actor=alice");
    const both = await narrows(page, ["Operation", "pauseQueue", "actor=alice&operation=pauseQueue"], lines(page), wanted);
    expect(both).toEqual([{ outcome: "done", actor: "alice", operation: "pause queue" }]);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("by time", async () => {
    const { page } = await opened();
    await lookLater(page);
    const starts = beginnings(page, "/api/dashboard/audit");
    await page.context().addCookies([await host.session()]);
    await page.goto(`${host.url}/audit`);
    const all = await wanted("");
    await expect.poll(lines(page)).toEqual(all);
    for (const [period, is] of [["1h", "none"], ["24h", "none"], ["7d", "all"]] as const) {
      const start = await choosePeriod(page, period, starts);
      if (is === "none") await page.getByText("Nothing is noted").waitFor();
      const expected = await wanted(`start_date=${start}`);
      expect([period, expected]).toEqual([period, is === "none" ? [] : all]);
      await expect.poll(lines(page)).toEqual(expected);
      await isKept(page, lines(page));
    }
    await page.context().close();
  });
});

// Back leaves a list only when nothing is left that was chosen there.
test("each choice of a filter is undone by Back and done again by Forward, on every page that has some", async () => {
  const { page, troubles } = await signedIn("/agents");
  // Of a page: what is chosen, and what the address says then.
  const choose = (name: string, value: string) => (): Promise<unknown> =>
    page.getByLabel(name, { exact: true }).selectOption(value);
  const press = (role: "button" | "tab", name: string) => (): Promise<unknown> =>
    page.locator("main").getByRole(role, { name, exact: true }).click();
  const type = (words: string) => async (): Promise<void> => {
    await page.getByRole("searchbox").focus();
    await page.keyboard.type(words, { delay: 20 });
  };
  for (const [path, ...choices] of [
    [
      "/tasks",
      [choose("Status", "completed"), "status=completed"],
      [choose("Source", "github"), "status=completed&source=github"],
      [type("login page"), "status=completed&source=github&q=login+page"],
      [choose("Time", "7d"), "status=completed&source=github&q=login+page&period=7d"],
      [press("button", "Clear"), ""],
    ],
    ["/deliveries", [choose("Webhook", "github"), "webhook=github"], [choose("Verdict", "queued"), "webhook=github&verdict=queued"]],
    ["/costs", [choose("Agent", "command-agent"), "agent=command-agent"], [choose("Time", "7d"), "agent=command-agent&period=7d"], [press("button", "model"), "agent=command-agent&period=7d&by=model"]],
    ["/audit", [choose("Outcome", "done"), "outcome=done"], [choose("Time", "24h"), "outcome=done&period=24h"]],
    ["/approvals", [choose("Agent", "second"), "agent=second"], [press("tab", "Decided"), "agent=second&show=decided"]],
    ["/", [press("button", "Cost"), "metric=cost"], [press("button", "Week"), "metric=cost&queue=week"], [press("button", "24 hours"), "metric=cost&queue=week&bucket=hour"]],
  ] as [string, ...[() => Promise<unknown>, string][]][]) {
    await page.getByRole("link", { name: "Agents", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Agents" }).waitFor();
    const entries = await page.evaluate(() => history.length);
    await page.locator(`nav a[href="${path}"]`).first().click();
    // What the page shows: the address, the controls and what is listed.
    const shown = async (): Promise<unknown> => [
      new URL(page.url()).pathname,
      parametersOf(page),
      await page.locator("main :is(select, input[type=search])").evaluateAll((all) => all.map((each) => (each as HTMLInputElement).value)),
      await page.locator("main :is([aria-pressed=true], [role=tab][aria-selected=true])").allTextContents(),
      await page.locator("main [aria-busy=true]").count(),
      await addresses(page.locator("main :is([role=row], li) a")),
      await page.getByRole("region", { name: "Numbers" }).locator("tbody").allTextContents(),
    ];
    // As it stays: a part of it may come a moment after the other.
    const settled = async (): Promise<unknown> => {
      let last = "";
      await expect
        .poll(async () => {
          const before = last;
          last = JSON.stringify(await shown());
          return last === before;
        })
        .toBe(true);
      return JSON.parse(last) as unknown;
    };
    await isThere(page);
    await expect.poll(() => page.locator("main [aria-busy=true]").count()).toBe(0);
    const before = [await settled()];
    for (const [act, parameters] of choices) {
      await act();
      await expect.poll(() => parametersOf(page)).toEqual(Object.fromEntries(new URLSearchParams(parameters)));
      await isThere(page);
      await expect.poll(() => page.locator("main [aria-busy=true]").count()).toBe(0);
      before.push(await settled());
    }
    expect([path, await page.evaluate(() => history.length)]).toEqual([path, entries + 1 + choices.length]);
    for (const was of before.slice(0, -1).reverse()) {
      await page.goBack();
      await expect.poll(shown).toEqual(was);
    }
    for (const was of before.slice(1)) {
      await page.goForward();
      await expect.poll(shown).toEqual(was);
    }
  }
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("the approvals of one agent, and those that were decided", async () => {
  const { page, troubles } = await signedIn("/approvals");
  const list = page.getByRole("region", { name: "Waiting for approval" });
  const links = (): Promise<(string | null)[]> => addresses(list.getByRole("link"));
  await expect.poll(links).toEqual([`/tasks/${data.waiting}`]);
  await page.getByLabel("Agent", { exact: true }).selectOption("second");
  await expect.poll(() => parametersOf(page)).toEqual({ agent: "second" });
  await expect.poll(links).toEqual([`/tasks/${data.waiting}`]);
  await isKept(page, links);
  await page.getByRole("tab", { name: "Decided" }).click();
  await page.getByText("Nothing was decided yet").waitFor();
  expect(parametersOf(page)).toEqual({ agent: "second", show: "decided" });
  await page.goBack();
  await expect.poll(links).toEqual([`/tasks/${data.waiting}`]);
  await goTo(page, "/approvals?agent=worker");
  await page.getByText("No task of worker does. Others may.").waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("what the charts of the overview show", async () => {
  const { page, troubles } = await signedIn("/");
  const charts = (): Promise<string[]> =>
    page.getByRole("img").evaluateAll((all) => all.map((chart) => (chart.getAttribute("aria-label") ?? "").split(/,| from/)[0] ?? ""));
  await expect.poll(charts).toEqual(["The queue in each minute", "Executions of each day"]);
  await page.getByRole("group", { name: "How far back the queue is shown" }).getByRole("button", { name: "Week" }).click();
  await page.getByRole("group", { name: "What is counted" }).getByRole("button", { name: "Cost" }).click();
  await page.getByRole("group", { name: "How far back", exact: true }).getByRole("button", { name: "24 hours" }).click();
  await expect.poll(charts).toEqual(["The queue in each hour", "Cost of each hour"]);
  expect(parametersOf(page)).toEqual({ queue: "week", metric: "cost", bucket: "hour" });
  await isKept(page, charts);
  expect(troubles).toEqual([]);
  await page.context().close();
});
