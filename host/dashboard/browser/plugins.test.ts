// A plugin's second version that fails: the first serves on, and a person sees it and decides.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Plugin } from "../src/api/schema";
import { goTo, openBrowser, openPage, signIn } from "./browser";
import { cutOff, sideways, violations } from "./checks";
import { Host } from "./host";

const build = process.env["DAVIT_BUILD_DIR"] ?? "";
const screenshots = process.env["DAVIT_SCREENSHOTS"];
if (screenshots) mkdirSync(screenshots, { recursive: true });

let host: Host;
let browser: Browser;

async function worker(): Promise<Plugin> {
  const { plugins } = (await host.api("GET", "/api/dashboard/plugins")) as unknown as { plugins: Plugin[] };
  const found = plugins.find((each) => each.kind === "agent" && each.name === "worker");
  if (!found) throw new Error("there is no agent worker");
  return found;
}

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), openBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await host.stop();
});

test("a newer generation that is held back is counted, shown with the reason, and cleared", async () => {
  const first = await worker();
  const run = (): Promise<unknown> => host.api("POST", "/api/tasks", { agent: "worker", payload: { mode: "noop" } });
  const done = (await run()) as { task_id: string };
  await host.taskOnce(done.task_id, "completed");
  const { page, troubles } = await openPage(browser, host.url);
  await page.goto(`${host.url}/plugins`);
  await signIn(page, host.adminToken);
  await page.getByRole("heading", { name: "worker" }).waitFor();
  const folder = join(host.folder, "plugins");
  copyFileSync(join(build, "tests/plugins/crashing_worker.so"), join(folder, ".next"));
  renameSync(join(folder, ".next"), join(folder, "scripted_agent.so"));
  await expect.poll(async () => (await worker()).generation).not.toBe(first.generation);
  await expect
    .poll(async () => {
      await run();
      return (await worker()).held_back?.state;
    })
    .toBe("quarantined");

  const notice = page.locator("li").filter({ has: page.getByRole("heading", { name: "worker" }) });
  await notice.getByText("What its file holds now is held back; what was there before it serves on").waitFor();
  await notice.getByText("its plugin crashed 3 times").waitFor();
  // The library has three agents.
  await page.getByRole("link", { name: "Plugins 3 turned away" }).waitFor();
  expect(await worker()).toMatchObject({ state: "serving", generation: first.generation, held_back: { state: "quarantined" } });
  for (const [theme, width] of [["light", 1280], ["dark", 380]] as const) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme: theme });
    expect([await violations(page), await cutOff(page), await sideways(page)]).toEqual([[], [], 0]);
    if (screenshots) await page.screenshot({ path: join(screenshots, `plugins-held-back-${theme}-${width}.png`) });
  }
  await page.setViewportSize({ width: 1280, height: 860 });
  for (const path of ["/", "/agents"]) {
    await goTo(page, path);
    await page.getByText("held back").first().waitFor();
    expect(await violations(page)).toEqual([]);
  }
  await goTo(page, "/plugins");
  await notice.getByRole("button", { name: /^Clear: generation/ }).click();
  await page.getByText(/^Cleared worker: generation/).waitFor();
  await notice.getByText("is held back").waitFor({ state: "detached" });
  await expect.poll(async () => (await worker()).generation).not.toBe(first.generation);
  expect(await worker()).toMatchObject({ state: "serving", held_back: null });
  expect(troubles).toEqual([]);
  await page.context().close();
});
