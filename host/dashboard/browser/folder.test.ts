// The page of plugins while the folder changes and a library misbehaves, also one that came in the place of a good one.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Plugin } from "../src/api/schema";
import { isTurnedAway } from "../src/lib/plugins";
import { goTo } from "./browser";
import { violations } from "./checks";
import { part } from "./part";
import { isWellEverywhere } from "./pictures";

// Sentry's webhook is configured, but its library is not there yet; one crash is enough for quarantine.
const { host, signedIn } = part({
  webhooks: ["github", "sentry"],
  absent: ["plugins/sentry.so"],
  plugins: "quarantine_after: 1",
});

const known = async (name: string): Promise<Plugin | undefined> =>
  ((await host.api("GET", "/api/dashboard/plugins")) as unknown as { plugins: Plugin[] }).plugins.find(
    (plugin) => plugin.name === name,
  );

// The line of that plugin within the card of that title.
const line = (page: Page, card: string, name: string): Locator =>
  page
    .locator("section", { has: page.getByRole("heading", { level: 2, name: card, exact: true }) })
    .getByRole("listitem")
    .filter({ has: page.getByRole("heading", { level: 3, name, exact: true }) });

// That the page is never loaded anew.
const mark = (page: Page): Promise<void> =>
  page.evaluate(() => void ((window as unknown as { stayed?: boolean }).stayed = true));
const stayed = (page: Page): Promise<boolean | undefined> =>
  page.evaluate(() => (window as unknown as { stayed?: boolean }).stayed);

test("a good library that is dropped in while one looks is shown as loaded, serves, and can be tried", async () => {
  const { page, troubles } = await signedIn("/plugins");
  await line(page, "Not serving", "sentry").getByText("no library in the plugins folder offers a webhook named sentry").waitFor();
  await mark(page);
  host.drop("plugins/sentry.so");
  const served = line(page, "Webhooks", "sentry");
  await served.getByText(/^.?serving$/).waitFor();
  const sentry = await known("sentry");
  expect(sentry).toMatchObject({ state: "serving" });
  for (const told of [sentry?.version, sentry?.sha256?.slice(0, 12), "sentry.so", "the host", "/webhooks/sentry"])
    await served.getByText(told ?? "nothing", { exact: true }).waitFor();
  await line(page, "Not serving", "sentry").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Send a test event to sentry" }).click();
  const dialog = page.getByRole("dialog", { name: "Test event for sentry" });
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("1 task and 0 actions; nothing of it was done.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  expect(await stayed(page)).toBe(true);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("other bytes in its place are the next generation, and without its file it is gone", async () => {
  const { page } = await signedIn("/plugins");
  await page.getByRole("heading", { level: 2, name: "Webhooks" }).waitFor();
  const agent = line(page, "Agents", "good-agent");
  await mark(page);
  host.drop("tests/plugins/good_agent.so");
  await agent.getByText(/^.?serving$/).waitFor();
  const first = await known("good-agent");
  appendFileSync(join(host.folder, "plugins/good_agent.so"), "other bytes");
  await expect.poll(async () => (await known("good-agent"))?.generation).toBeGreaterThan(first?.generation ?? 0);
  const second = await known("good-agent");
  expect(second?.sha256).not.toBe(first?.sha256);
  await agent.getByText(second?.sha256?.slice(0, 12) ?? "no hash", { exact: true }).waitFor();
  rmSync(join(host.folder, "plugins/good_agent.so"));
  await agent.waitFor({ state: "detached" });
  expect(await stayed(page)).toBe(true);
  await page.context().close();
});

test("what is no plugin is refused with reason and remedy, and so is a plugin that breaks its rules", async () => {
  const { page, troubles } = await signedIn("/plugins");
  await page.getByRole("heading", { level: 2, name: "Webhooks" }).waitFor();
  await mark(page);
  writeFileSync(join(host.folder, "plugins/dropped-in.so"), "this is no library", { mode: 0o700 });
  await line(page, "Not serving", "dropped-in.so").getByText("It is not an ELF file").waitFor();
  host.drop("tests/broken_plugins/constructor_segfaults.so");
  const crashed = line(page, "Not serving", "constructor_segfaults.so");
  await crashed.getByText("constructor_crashed:").waitFor();
  const { refusal } = (await known("constructor_segfaults.so")) ?? {};
  expect(refusal?.reason).toContain("Debug the library's constructors"); // the remedy
  await crashed.getByText(refusal?.reason ?? "no reason").waitFor();
  await page.getByRole("link", { name: /^Plugins\s*\d+ / }).waitFor();
  expect(await stayed(page)).toBe(true);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("an agent is switched off and on, and what it is given meanwhile waits", async () => {
  const { page, troubles } = await signedIn("/plugins");
  const worker = line(page, "Agents", "worker");
  const notices = page.getByRole("status");
  await worker.getByRole("button", { name: "Disable worker" }).click();
  await notices.getByText("Disabled worker.").waitFor();
  await worker.getByText(/^.?disabled$/).waitFor();
  await worker.getByText("disabled by command").waitFor();
  await worker.getByText("davit plugins enable agent worker switches it on").waitFor();
  expect(await known("worker")).toMatchObject({ state: "disabled", override: "disabled" });
  await worker.getByRole("button", { name: "Enable worker" }).click();
  await worker.getByText(/^.?serving$/).waitFor();
  expect(await known("worker")).toMatchObject({ state: "serving" });
  await notices.getByText("Enabled worker.").waitFor();
  expect(await notices.getByText("Disabled worker.").count()).toBe(0);
  await notices.getByRole("button", { name: "Dismiss" }).click();
  await notices.getByText("Enabled worker.").waitFor({ state: "detached" });
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a library that crashes is put into quarantine, which says why and what to do; Clear ends it, and its tasks run", async () => {
  const task = async (mode: string): Promise<string> =>
    ((await host.api("POST", "/api/tasks", { agent: "worker", title: `To ${mode}`, payload: { mode } })) as { task_id: string })
      .task_id;
  const { page, troubles } = await signedIn("/plugins");
  await line(page, "Agents", "worker").getByText(/^.?serving$/).waitFor();
  await mark(page);
  const guilty = await task("crash");
  const held = line(page, "Not serving", "worker");
  await held.getByText(/^.?quarantined$/).waitFor();
  const { reason } = (await known("worker")) ?? {};
  expect(reason).toContain("davit plugins clear agent worker lets it serve again");
  await held.getByText(reason ?? "no reason").waitFor();
  // All that it offers is held back with it.
  await line(page, "Not serving", "second").getByText(/^.?quarantined$/).waitFor();
  const later = await task("noop");
  await host.taskOnce(later, "parked");
  await isWellEverywhere(page, "plugins-quarantined");

  const reader = await signedIn("/plugins", undefined, host.readerToken);
  await line(reader.page, "Not serving", "worker").getByText(reason ?? "no reason").waitFor();
  expect(await reader.page.locator("main").getByRole("button", { name: /^(Clear|Enable|Disable) / }).count()).toBe(0);
  await reader.page.context().close();

  await host.api("POST", `/api/tasks/${guilty}/cancel`, {});
  await held.getByRole("button", { name: "Clear worker" }).click();
  for (const name of ["worker", "second"]) await line(page, "Agents", name).getByText(/^.?serving$/).waitFor();
  expect(await known("worker")).toMatchObject({ state: "serving" });
  await host.taskOnce(later, "completed");
  expect(await stayed(page)).toBe(true);
  expect(troubles).toEqual([]);
  await page.context().close();
});

// The last one: what serves then crashes with every task.
test("a newer version that crashes is held back while the first serves on; it is counted, shown with the reason, and cleared", async () => {
  const { page, troubles } = await signedIn("/plugins");
  await line(page, "Agents", "worker").waitFor();
  const first = await known("worker");
  host.drop("tests/plugins/crashing_worker.so", "scripted_agent.so");
  await expect.poll(async () => (await known("worker"))?.generation).not.toBe(first?.generation);
  const { task_id } = (await host.api("POST", "/api/tasks", { agent: "worker", payload: { mode: "noop" } })) as { task_id: string };
  const notice = line(page, "Not replaced", "worker");
  await notice.getByText("What its file holds now is held back; what was there before it serves on").waitFor();
  await notice.getByText("its plugin crashed once").waitFor();
  expect(await known("worker")).toMatchObject({
    state: "serving",
    generation: first?.generation,
    held_back: { state: "quarantined" },
  });
  const { plugins } = (await host.api("GET", "/api/dashboard/plugins")) as unknown as { plugins: Plugin[] };
  await page.getByRole("link", { name: `Plugins ${plugins.filter(isTurnedAway).length} turned away` }).waitFor();
  await isWellEverywhere(page, "plugins-held-back");
  for (const path of ["/", "/agents"]) {
    await goTo(page, path);
    await page.getByText("held back").first().waitFor();
    expect(await violations(page)).toEqual([]);
  }
  await host.taskOnce(task_id, "completed"); // by the first
  await goTo(page, "/plugins");
  await notice.getByRole("button", { name: /^Clear: generation/ }).click();
  await page.getByRole("status").getByText(/^Cleared worker: generation/).waitFor();
  await notice.waitFor({ state: "detached" });
  expect(await known("worker")).toMatchObject({ state: "serving", held_back: null });
  expect((await known("worker"))?.generation).not.toBe(first?.generation);
  expect(troubles).toEqual([]);
  await page.context().close();
});
