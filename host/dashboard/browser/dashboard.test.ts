// The dashboard as people use it: Chromium, the real host, tasks made by signed deliveries.
import { appendFileSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Agent, Costs, Json } from "../src/api/schema";
import { usd } from "../src/lib/format";
import { type Look, goTo, openBrowser, openPage, signIn } from "./browser";
import { cutOff, sideways, violations } from "./checks";
import { type Data, Host, canary, fill } from "./host";

const screenshots = process.env["DAVIT_SCREENSHOTS"];
if (screenshots) mkdirSync(screenshots, { recursive: true });

let host: Host;
let browser: Browser;
let data: Data;
let deliveryId: string;

async function shot(page: Page, name: string): Promise<void> {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

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

// A figure that is kept beside the pictures.
function note(figure: string): void {
  if (screenshots) appendFileSync(join(screenshots, "figures.txt"), `${figure}\n`);
}

// What is downloaded by a click on that button, as text.
async function saved(page: Page, button: string): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  return readFileSync(await (await download).path(), "utf8");
}

async function signedIn(path = "/", look?: Look, token = host.adminToken): Promise<{ page: Page; troubles: string[] }> {
  const opened = await openPage(browser, host.url, look);
  await opened.page.goto(host.url + path);
  await signIn(opened.page, token);
  return opened;
}

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), openBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await host.stop();
});

describe("before the first event", () => {
  test("a wrong token is refused in words, and the right one shows the page that was asked for", async () => {
    const { page, troubles } = await openPage(browser, host.url);
    await page.goto(`${host.url}/plugins`);
    await page.getByLabel("Token").fill("not-the-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("davit does not know this token.").waitFor();
    expect(await violations(page)).toEqual([]);
    await shot(page, "login-light-1280");
    await signIn(page, host.adminToken);
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    // A refusal is told by the browser as well.
    expect(troubles.filter((trouble) => !trouble.includes("401"))).toEqual([]);
    await page.context().close();
  });

  test("the first page leads to the first event, and the first load is small", async () => {
    const { page, troubles } = await signedIn();
    await page.getByText("davit send github").waitFor();
    expect(await violations(page)).toEqual([]);
    await shot(page, "first-run-light-1280");
    const scripts = await page.evaluate(() =>
      (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
        .filter((each) => each.name.endsWith(".js"))
        .map((each) => each.encodedBodySize),
    );
    expect(scripts.length).toBeGreaterThan(0);
    const bytes = scripts.reduce((sum, size) => sum + size);
    expect(bytes).toBeLessThan(250_000);
    note(`first load: ${scripts.length} scripts, ${(bytes / 1000).toFixed(1)} kB packed`);
    // Without a terminal it is a test event, begun with what the plugin gives.
    await page.getByRole("link", { name: "plugins", exact: true }).click();
    await page.getByRole("button", { name: "Send a test event to github" }).click();
    const dialog = page.getByRole("dialog", { name: "Test event for github" });
    await dialog.getByText("Begun with the sample that the plugin gives.").waitFor();
    expect(await dialog.getByLabel("Headers").inputValue()).toContain("X-GitHub-Event: issues");
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("1 task and 0 actions; nothing of it was done.").waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("each address of the dashboard can be opened by itself, and everything under /assets/ kept", async () => {
    const routes = readFileSync(join(import.meta.dirname, "../src/routes.tsx"), "utf8");
    const addresses = [...routes.matchAll(/path: "([^"]+)"/g)].map((match) => (match[1] ?? "").replace("$id", "some-id"));
    expect(addresses.length).toBeGreaterThan(7);
    for (const address of addresses) {
      const answer = await fetch(host.url + address);
      expect([address, answer.status, answer.headers.get("content-type")]).toEqual([
        address,
        200,
        "text/html; charset=utf-8",
      ]);
    }
    const page = await (await fetch(host.url)).text();
    const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const answer = await fetch(host.url + file);
      expect([file, answer.status, answer.headers.get("cache-control")]).toEqual([
        file,
        200,
        "public, max-age=31536000, immutable",
      ]);
    }
    const tag = (await fetch(host.url)).headers.get("etag") ?? "";
    const again = await fetch(host.url, { headers: { "If-None-Match": tag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const head = await fetch(host.url, { method: "HEAD", headers: { "Accept-Encoding": "identity" } });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(Buffer.byteLength(page)),
      "",
    ]);
  });
});

describe("with tasks", () => {
  beforeAll(async () => {
    data = await fill(host);
    const list = (await host.api("GET", "/api/dashboard/deliveries")) as unknown as {
      deliveries: { delivery_id: string; task_ids: string[] }[];
    };
    deliveryId = list.deliveries.find((each) => each.task_ids[0] === data.hostile)?.delivery_id ?? "";
  });

  // Each with a text that is there once the page is.
  const pages = (): [string, string, string][] => [
    ["overview", "/", "As a table"], // of the chart, which comes last
    ["tasks", "/tasks", "Moving ten thousand rows takes long"],
    ["task-done", `/tasks/${data.done}`, "52,000"],
    ["task-failed", `/tasks/${data.failed}`, "It failed"],
    ["task-running", `/tasks/${data.running}`, "this will take a while"],
    ["task-waiting", `/tasks/${data.waiting}`, "A person decides"],
    ["task-hostile", `/tasks/${data.hostile}`, "is only text"],
    ["approvals", "/approvals", "so far"],
    ["approvals-none-decided", "/approvals?show=decided", "Nothing was decided yet"],
    ["agents", "/agents", "Command Agent"],
    ["costs", "/costs", "Cache read"],
    ["plugins", "/plugins", "It is not an ELF file"],
    ["deliveries", "/deliveries", "pong"],
    ["delivery", `/deliveries/${deliveryId}`, "Timing of the hooks"],
    ["audit", "/audit", "sign in"],
    ["missing", "/nowhere", "There is no such page"],
  ];

  const looks: Look[] = [
    { theme: "light", width: 1280 },
    { theme: "dark", width: 1280 },
    { theme: "light", width: 380 },
    { theme: "dark", width: 380 },
    { theme: "light", width: 768 },
    { theme: "dark", width: 1024 },
  ];

  test.each(looks)("every page is accessible, fits and stays quiet: $theme, $width px", async (look) => {
    const { page, troubles } = await signedIn("/", look);
    for (const [name, path, text] of pages()) {
      await goTo(page, path);
      await page.getByText(text).filter({ visible: true }).first().waitFor();
      await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" });
      expect([name, await sideways(page)]).toEqual([name, 0]);
      expect([name, await cutOff(page)]).toEqual([name, []]);
      // A wide table says where it goes on, and one that fits does not.
      if (name === "costs" && (look.width === 1280 || look.width === 380))
        expect(await page.locator("[data-more]").count()).toBe(look.width === 380 ? 2 : 0);
      if (look.width === 1280 || look.width === 380) expect([name, await violations(page)]).toEqual([name, []]);
      await shot(page, `${name}-${look.theme}-${look.width}`);
    }
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
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
    await goTo(page, `/deliveries/${deliveryId}`);
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
    const { page, troubles } = await signedIn();
    await page.route(
      (url) => url.pathname.startsWith("/api/dashboard/") && !url.pathname.endsWith("/events"),
      async (route) => {
        const answer = await route.fetch();
        const json = (await answer.json()) as Json;
        await route.fulfill({ response: answer, json: answer.ok() ? hostile(json) : json });
      },
    );
    for (const [name, path] of pages()) {
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

  test("each filter narrows the list down, and the address holds it", async () => {
    const { page } = await signedIn("/tasks");
    const rows = page.getByRole("row");
    await expect.poll(() => rows.count()).toBe(7);
    const cases: [string, string, string, number][] = [
      ["Status", "failed", "status=failed", 1],
      ["Agent", "second", "agent=second", 1],
      ["Source", "chain", "source=chain", 1],
      ["Time", "1h", "period=1h", 6],
      ["Time", "days", "from=20", 6],
    ];
    for (const [name, value, address, left] of cases) {
      await page.getByLabel(name, { exact: true }).selectOption(value);
      await expect.poll(() => page.url()).toContain(address);
      await expect.poll(() => rows.count()).toBe(left + 1);
      await page.getByRole("button", { name: "Clear" }).click();
      await expect.poll(() => page.url()).toBe(`${host.url}/tasks`);
    }
    await goTo(page, "/tasks?from=2020-01-01&to=2020-12-31");
    await page.getByText("No task is like that").waitFor();
    await page.getByLabel("To", { exact: true }).fill("");
    await expect.poll(() => rows.count()).toBe(7);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.keyboard.press("/");
    await page.keyboard.type("frobnicate");
    await expect.poll(() => page.url()).toContain("q=frobnicate");
    await expect.poll(() => rows.count()).toBe(2);
    // Whoever gets the address sees the same.
    const address = page.url();
    await page.reload();
    await page.getByText("frobnicate").first().waitFor();
    expect(page.url()).toBe(address);
    await expect.poll(() => rows.count()).toBe(2);
    await page.context().close();
  });

  test("a period begins where the list was opened, however long one looks", async () => {
    const { page } = await openPage(browser, host.url);
    await page.clock.install();
    const starts: (string | null)[] = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.pathname === "/api/dashboard/tasks") starts.push(url.searchParams.get("start_date"));
    });
    await page.goto(`${host.url}/tasks?period=24h`);
    await signIn(page, host.adminToken);
    await page.getByRole("row").nth(1).waitFor();
    await page.clock.runFor(130_000);
    // The ages of the rows have moved on, and with them whatever else goes by the time.
    await page.getByText(/^[2-9] min ago$/).first().waitFor();
    expect(starts.length).toBeGreaterThan(0);
    expect(new Set(starts).size).toBe(1);
    await page.context().close();
  });

  test("the keyboard chooses, opens, goes to pages and helps", async () => {
    const { page } = await signedIn("/tasks");
    await page.getByRole("row").nth(2).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    expect(await page.locator("[role=row][aria-current=true]").getAttribute("aria-rowindex")).toBe("3");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain(data.waiting);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Agents" }).waitFor();
    // What is typed once one has been brought to the search is searched for.
    await page.keyboard.press("/");
    await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).type)).toBe("search");
    await page.keyboard.press("Escape");
    // What waits is decided about from the list; what has left the list is not opened.
    const chosen = page.locator("[role=row][aria-current=true]");
    await page.getByRole("row").nth(2).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("a");
    const dialog = page.getByRole("dialog", { name: "Approve this task?" });
    await dialog.getByText("content").waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Back" }).click();
    await page.keyboard.press("/");
    await page.keyboard.type("frobnicate");
    await expect.poll(() => page.url()).toContain("q=frobnicate");
    await chosen.waitFor({ state: "detached" });
    // Not by Escape, at which Chromium empties the field.
    await page.getByRole("searchbox").blur();
    await page.keyboard.press("Enter");
    // Switched off no key acts, and the button opens the help again.
    await page.keyboard.press("?");
    await page.getByLabel("Keys act").click();
    expect(page.url()).toContain("/tasks?q=frobnicate");
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByRole("row").nth(1).waitFor();
    for (const key of ["?", "j"]) await page.keyboard.press(key);
    expect([await page.getByRole("dialog").count(), await chosen.count()]).toEqual([0, 0]);
    await page.getByRole("button", { name: "Keyboard" }).click();
    await page.getByLabel("Keys act").click();
    await page.context().close();
  });

  test("whoever has a keyboard only sees where he is, gets everywhere, and comes back from a dialog to where he was", async () => {
    const { page, troubles } = await signedIn("/");
    const here = (): Promise<{ name: string; shown: boolean; inPage: boolean; inDialog: boolean }> =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const box = element.querySelector(".box");
        const outline = getComputedStyle(element);
        return {
          name: `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent.slice(0, 40)}`,
          // A task of the graph has a thicker frame instead.
          shown: outline.outlineStyle !== "none" || (box !== null && getComputedStyle(box).strokeWidth === "3px"),
          inPage: element.closest("main") !== null,
          inDialog: element.closest("dialog") !== null || element === document.body,
        };
      });
    for (const [name, path, text] of pages()) {
      await goTo(page, path);
      await page.getByText(text).filter({ visible: true }).first().waitFor();
      // Once through the navigation; then past it.
      const first = name === "overview";
      await page.getByRole("link", { name: "Skip to the page" }).focus();
      if (!first) await page.keyboard.press("Enter");
      let inPage = 0;
      for (let pressed = 0; pressed < (first ? 30 : 12); ++pressed) {
        await page.keyboard.press("Tab");
        const at = await here();
        if (at.name.startsWith("BODY")) break;
        expect([name, at.name, at.shown]).toEqual([name, at.name, true]);
        if (at.inPage) ++inPage;
      }
      expect(inPage, name).toBeGreaterThan(0);
    }
    await goTo(page, "/plugins");
    await page.getByRole("button", { name: "Send a test event to github" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Test event for github" });
    await expect.poll(() => dialog.getByLabel("Headers").isEnabled()).toBe(true);
    for (let pressed = 0; pressed < 12; ++pressed) {
      await page.keyboard.press("Tab");
      expect(await here()).toMatchObject({ inDialog: true });
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect((await here()).name).toBe("BUTTON Send a test event to github");
    // A screen that is too low for a dialog scrolls it.
    await page.setViewportSize({ width: 380, height: 360 });
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Send" }).click({ trial: true });
    expect(troubles).toEqual([]);
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

  test("a reader sees everything, is offered no act, and is refused where he tries one", async () => {
    const { page, troubles } = await signedIn(`/tasks/${data.running}`, undefined, host.readerToken);
    await page.getByText("reader · looks only").waitFor();
    const acts = ["Cancel", "Approve", "Reject", "Retry", "Pause", "Resume", "Look again", "Enable", "Disable", "Replay", "Dry run"];
    for (const [name, path, text] of pages()) {
      if (name === "audit") continue; // which is not his
      await goTo(page, path);
      await page.getByText(text).first().waitFor();
      for (const act of acts) expect([name, act, await page.getByRole("button", { name: act }).count()]).toEqual([name, act, 0]);
    }
    expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0);
    expect(troubles).toEqual([]);
    await goTo(page, "/audit");
    await page.getByText("this needs a token that may act; reader may only read").waitFor();
    const refused = await page.evaluate(async (id) => {
      const { csrf_token } = (await (await fetch("/api/session")).json()) as { csrf_token: string };
      const answer = await fetch(`/api/tasks/${id}/cancel`, { method: "POST", body: "{}", headers: { "X-CSRF-Token": csrf_token } });
      return answer.status;
    }, data.running);
    expect(refused).toBe(403);
    expect((await host.task(data.running)).status).toBe("running");
    await page.context().close();
  });

  test("a reload keeps whoever is signed in, no script can read his cookie, and signing out ends it in every tab", async () => {
    const { page, troubles } = await signedIn("/agents");
    await page.reload();
    await page.getByRole("heading", { name: "Agents" }).waitFor();
    note(`signed in already: a page is there ${(await page.evaluate(() => performance.now())).toFixed(0)} ms after it was asked for`);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(host.adminToken);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/", secure: false });
    expect(troubles).toEqual([]);
    const other = await page.context().newPage();
    await other.goto(`${host.url}/costs`);
    await other.getByRole("heading", { name: "Costs" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.getByText("You are not signed in any more.").waitFor();
    await signIn(other, host.adminToken);
    await other.getByRole("heading", { name: "Costs" }).waitFor();
    await page.context().close();
  });

  test("when a token is revoked its session is over: the page asks for another one and then goes on where it was", async () => {
    const made = (await host.api("POST", "/api/tokens", { name: "guest", role: "admin" })) as { token: string };
    const { page } = await signedIn(`/tasks?status=failed`, undefined, made.token);
    await page.getByText("guest", { exact: true }).first().waitFor();
    await page.getByRole("row").nth(1).waitFor();
    await host.api("POST", "/api/tokens/guest/revoke", {});
    await page.getByText("You are not signed in any more.").waitFor();
    expect(await violations(page)).toEqual([]);
    await signIn(page, host.adminToken);
    await page.getByRole("row").nth(1).waitFor();
    expect(page.url()).toBe(`${host.url}/tasks?status=failed`);
    await page.context().close();
  });

  test("who did what is in the audit log, narrowed down by the address", async () => {
    const { page, troubles } = await signedIn("/audit?operation=createToken");
    const log = page.getByRole("region", { name: "Audit log" });
    await log.getByText("create token").waitFor();
    await log.getByRole("button", { name: "guest" }).click();
    await expect.poll(() => page.url()).toContain("object=guest");
    await page.getByLabel("Operation", { exact: true }).selectOption("");
    await log.getByText("revoke token").waitFor();
    await log.getByRole("button", { name: "More" }).first().click();
    await log.getByText("request_id").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Outcome", { exact: true }).selectOption("denied");
    await page.getByText("Nothing is noted").waitFor();
    await page.getByTitle("Show what was done to everything").click();
    await log.getByText("reader may only read").first().waitFor();
    // What is done while one looks comes by itself, though no event tells of it.
    await page.getByLabel("Outcome", { exact: true }).selectOption("");
    await log.getByText("revoke token").waitFor();
    await host.api("POST", "/api/tokens", { name: "newcomer", role: "reader" });
    await log.getByRole("button", { name: "newcomer" }).waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("a task is rejected with a reason, another approved by the key a, and what follows is seen without a reload", async () => {
    const { page, troubles } = await signedIn(`/tasks/${data.waiting}`);
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByLabel("What is wrong with it").fill("not like that");
    await shot(page, "reject-light-1280");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
    await page.locator("main header").getByText("Cancelled").waitFor();
    await page.getByText("not like that").first().waitFor();

    const first = await host.issue(6, "One more that asks first");
    const next = (await host.taskOnce(first, "completed")).chain.find((link) => link.parent_id === first);
    await host.taskOnce(next?.task_id ?? "", "awaiting_approval");
    await goTo(page, `/tasks/${next?.task_id ?? ""}`);
    await page.getByText("A person decides").waitFor();
    await page.keyboard.press("a");
    await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await page.locator("main header").getByText("Completed").waitFor();
    expect((await host.task(next?.task_id ?? "")).decisions).toContainEqual(
      expect.objectContaining({ kind: "approve", way: "dashboard" }),
    );
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("a failed task is run once more, and a running one cancelled", async () => {
    const { page } = await signedIn(`/tasks/${data.failed}`);
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
    await expect.poll(async () => (await host.task(data.failed)).agent_executions.length).toBe(2);
    await goTo(page, `/tasks/${data.running}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.locator("main header").getByText("Cancelled").waitFor();
    await page.context().close();
  });

  test("a task whose delivery comes while one looks appears, and so does a plugin that is dropped in", async () => {
    const { page } = await signedIn("/tasks");
    await page.getByRole("row").nth(1).waitFor();
    await host.issue(7, "Came while somebody looked");
    await page.getByText("Came while somebody looked").waitFor();
    await goTo(page, "/plugins");
    await page.getByText("It is not an ELF file").waitFor();
    copyFileSync(join(host.folder, "plugins/broken.so"), join(host.folder, "plugins/dropped-in.so"));
    await page.getByText("dropped-in.so").first().waitFor();
    await page.context().close();
  });

  test("costs agree with the API to the last digit, and files are saved as they are", async () => {
    const { page, troubles } = await signedIn("/costs?by=model");
    const costs = (await host.api("GET", "/api/dashboard/cost-breakdown?group_by=model")) as unknown as Costs;
    await page.getByRole("row", { name: `In all ${usd(costs.total_cost_usd)}` }).waitFor();
    const table = await saved(page, "CSV");
    const rows = table.trim().split("\r\n").map((line) => line.split(","));
    expect(rows[0]?.[3]).toBe("total_cost_usd");
    expect(rows.slice(1).map((row) => [row[0], Number(row[3])])).toEqual(
      costs.costs.map((line) => [`"${line.group ?? ""}"`, line.total_cost_usd]),
    );
    await goTo(page, `/tasks/${data.done}`);
    expect(await saved(page, "Save plan.txt")).toBe("The plan\n========\n1. read 2. change 3. test\n");
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("an agent is paused, a plugin disabled, a delivery tried and replayed, and the host has done so", async () => {
    const { page, troubles } = await signedIn("/agents");
    await page.getByRole("button", { name: "Pause worker" }).click();
    await page.getByRole("button", { name: "Resume worker" }).click();
    await page.getByRole("button", { name: "Pause worker" }).waitFor();
    await goTo(page, "/plugins");
    await page.getByRole("button", { name: "Disable worker" }).click();
    await page.getByRole("button", { name: "Enable worker" }).waitFor();
    const agents = (await host.api("GET", "/api/dashboard/agents")) as unknown as { agents: Agent[] };
    expect(agents.agents.find((agent) => agent.name === "worker")).toMatchObject({ state: "disabled", override: "disabled" });
    await page.getByRole("button", { name: "Enable worker" }).click();
    await page.getByRole("button", { name: "Disable worker" }).waitFor();
    await goTo(page, `/deliveries/${deliveryId}`);
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("dialog").getByText("1 task and 0 actions; nothing of it was done.").waitFor();
    await shot(page, "dry-run-light-1280");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("Replay of").waitFor();
    expect(page.url()).not.toContain(deliveryId);
    // The exact time shows where one points, though the row is a link.
    await goTo(page, "/deliveries");
    await page.locator("main li time").first().hover();
    expect(troubles).toEqual([]);
    // Refused it says so where one looks: within the dialog.
    await goTo(page, `/deliveries/${deliveryId}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await host.api("POST", "/api/plugins/webhook/github/disable", {});
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await host.api("POST", "/api/plugins/webhook/github/enable", {});
    await page.context().close();
  });

  test("a long list is loaded as one scrolls, and only what is seen is in the document", async () => {
    await host.api("POST", "/api/queue/pause", { agent: "third" });
    for (let number = 0; number < 250; ++number)
      await host.api("POST", "/api/tasks", { agent: "third", title: `Waits, number ${number}`, payload: {} });
    const { page } = await signedIn("/tasks?agent=third");
    await page.getByText("Waits, number 249", { exact: true }).waitFor();
    const scroller = page.getByRole("table", { name: "Tasks" });
    await expect
      .poll(
        async () => {
          await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight));
          return page.getByText("Waits, number 0", { exact: true }).count();
        },
      )
      .toBe(1);
    expect(await page.getByRole("row").count()).toBeLessThan(80);
    await page.context().close();
  });

  test("the chosen theme is kept", async () => {
    const { page } = await signedIn();
    const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.getByRole("button", { name: "Dark", exact: true }).click();
    const dark = await paper();
    expect(dark).not.toBe(light);
    await page.reload();
    expect(await paper()).toBe(dark);
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
    expect(await page.locator("[data-live=live]:visible").count()).toBe(1);
    await page.context().close();
  });

  // The last one: it ends the host.
  test("when davit is gone, what is shown is called stale, and the reason stands where nothing can be", async () => {
    const { page } = await signedIn();
    await page.locator("[data-live=live]:visible").waitFor();
    await host.stop();
    await page.locator("[data-live=lost]:visible").getByText("Stale").waitFor();
    expect(await page.getByText("Latest failures").count()).toBe(1);
    await goTo(page, `/tasks/${data.done}`);
    await page.getByText("davit does not answer. Is it running?").waitFor();
    expect(await violations(page)).toEqual([]);
    await shot(page, "gone-light-1280");
    await page.context().close();
  });
});
