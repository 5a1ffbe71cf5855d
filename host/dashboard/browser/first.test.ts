// The first minutes: who one is, and the way to the first event.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Webhook } from "../src/api/schema";
import { goTo, signIn } from "./browser";
import { part } from "./part";
import { isWell, isWellEverywhere, note, widths } from "./pictures";

describe("with GitHub's webhook", () => {
  const { host, opened, signedIn } = part();

  test("a wrong token is refused in words, and the right one shows the page that was asked for", async () => {
    const { page, troubles } = await opened();
    await page.goto(`${host.url}/plugins`);
    await page.getByLabel("Token").waitFor();
    await isWellEverywhere(page, "login");
    await page.getByLabel("Token").fill("not-the-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("davit does not know this token.").waitFor();
    await isWellEverywhere(page, "login-refused");
    await signIn(page, host.adminToken);
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    // A refusal is told by the browser as well.
    expect(troubles.filter((trouble) => !trouble.includes("401"))).toEqual([]);
    await page.context().close();
  });

  test("the first page leads to the first event, and the first load is small", async () => {
    const { page, troubles } = await signedIn();
    await page.getByText("davit send github").waitFor();
    const scripts = await page.evaluate(() =>
      (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
        .filter((each) => each.name.endsWith(".js"))
        .map((each) => each.encodedBodySize),
    );
    expect(scripts.length).toBeGreaterThan(0);
    const bytes = scripts.reduce((sum, size) => sum + size);
    expect(bytes).toBeLessThan(250_000);
    note("figures.txt", `first load: ${scripts.length} scripts, ${(bytes / 1000).toFixed(1)} kB packed`);
    await isWellEverywhere(page, "first-run");
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

  test.each(widths)("every page that has nothing yet says so: %i px", async (width) => {
    const { page, troubles } = await signedIn("/tasks", { theme: "light", width });
    for (const [name, path, text] of [
      ["tasks", "/tasks", "No tasks yet"],
      ["approvals", "/approvals", "Nothing waits for a person"],
      ["deliveries", "/deliveries", "No deliveries yet"],
      ["costs", "/costs", "Nothing was run in this time"],
    ] as const) {
      await goTo(page, path);
      await page.getByText(text, { exact: true }).waitFor();
      await isWell(page, `${name}-empty`);
    }
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

describe("with Sentry's webhook alone", () => {
  const { host, signedIn } = part({ webhooks: ["sentry"] });

  test("the first page leads to the first event, which then comes by itself", async () => {
    const { page, troubles } = await signedIn();
    await page.getByText("sentry at /webhooks/sentry.").waitFor();
    // The command there is for GitHub's events would be of no use.
    expect(await page.getByText("davit send").count()).toBe(0);
    await isWellEverywhere(page, "first-run-sentry");
    const watching = await page.context().newPage();
    await watching.goto(host.url);
    await watching.getByRole("heading", { name: "To the first task" }).waitFor();

    await page.getByRole("link", { name: "plugins", exact: true }).click();
    await page.getByRole("button", { name: "Send a test event to sentry" }).click();
    const dialog = page.getByRole("dialog", { name: "Test event for sentry" });
    await dialog.getByText("Begun with the sample that the plugin gives.").waitFor();
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("202 queued").waitFor();
    await dialog.getByRole("link", { name: "Its delivery" }).click();
    await page.getByText("test event by admin").waitFor();

    // Whoever stayed on the first page sees that it came, without touching anything.
    await watching.getByRole("heading", { name: "Queue", exact: true }).waitFor();
    await watching.getByText("To the first task").waitFor({ state: "detached" });
    // And so he does what Sentry itself sends and signs.
    await watching.getByRole("link", { name: "Tasks", exact: true }).first().click();
    await watching.getByText("Test event: TypeError: greeting is undefined").waitFor();
    await host.sentryIssue(4711, "ZeroDivisionError in the checkout");
    await watching.getByText("ZeroDivisionError in the checkout").waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});

describe("with a webhook's library in the folder and nothing said about it", () => {
  const { host, signedIn } = part({ webhooks: [] }, (made) => Promise.resolve(made.drop("plugins/github.so")));

  test("the first page says that it is there, what it lacks, and sends nobody to try it", async () => {
    const { page, troubles } = await signedIn();
    const step = (title: string) => page.getByRole("listitem").filter({ has: page.getByText(title, { exact: true }) });
    await step("A webhook's plugin is loaded").getByText("github.", { exact: true }).waitFor();
    await step("A webhook's plugin is loaded").getByText(/^.?done$/).waitFor();
    const { webhooks } = (await host.api("GET", "/api/dashboard/webhooks")) as unknown as { webhooks: Webhook[] };
    expect(webhooks.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ["github", "no_secret", expect.stringContaining("GITHUB_WEBHOOK_SECRET")],
    ]);
    await step("It has what it needs, and serves").getByText(webhooks[0]?.reason ?? "no reason").waitFor();
    await step("A signed event comes").getByText("Once a webhook serves.").waitFor();
    expect(await page.getByText("test event").count()).toBe(0);
    await isWellEverywhere(page, "first-run-no-secret");
    // From there to where more of it is.
    await page.getByRole("link", { name: "plugins", exact: true }).click();
    await page.getByRole("heading", { level: 3, name: "github" }).waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});
