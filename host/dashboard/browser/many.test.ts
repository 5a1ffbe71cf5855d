// Many tasks at once: acts, files and sums. Chromium, the real host, signed deliveries.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Series, TaskDetail, TaskPage } from "../src/api/schema";
import { usd } from "../src/lib/format";
import { type Data, canary, fill } from "./host";
import { part } from "./part";
import { isWell, widths } from "./pictures";

let data: Data;
const { host, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

describe("an act on many tasks", () => {
  test.each(widths)("shows what it would do, and is accessible and fits: %i px", async (width) => {
    const { page, troubles } = await signedIn("/tasks", { theme: "light", width });
    await page.getByLabel("All shown").check();
    await page.getByText("6 selected").waitFor();
    await isWell(page, "tasks-selected");
    await page.getByRole("button", { name: "Cancel what is selected" }).click();
    const dialog = page.getByRole("dialog", { name: "Cancel tasks" });
    await dialog.getByText("2 tasks:").waitFor();
    await dialog.getByText("4 tasks left out:").waitFor();
    await dialog.getByText("is failed").waitFor();
    await isWell(page, "bulk-preview");
    await dialog.getByRole("button", { name: "Back" }).click();
    expect((await host.task(data.waiting)).status).toBe("awaiting_approval");
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("by j and x: one is selected, retried, and says what came of it", async () => {
    const { page, troubles } = await signedIn("/tasks?status=failed");
    await page.getByLabel("Select Exporting a large report").waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor({ state: "detached" });
    await page.keyboard.press("x");
    await page.getByRole("button", { name: "Retry what is selected" }).click();
    const sent = page.waitForRequest((request) => request.url().endsWith("/api/tasks/bulk"));
    await page.getByRole("dialog").getByRole("button", { name: "Retry 1 task" }).click();
    expect((await sent).headers()["idempotency-key"]).toMatch(/^"[0-9a-f]{32}"$/);
    await page.getByText("Done with 1 of 1 task.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).last().click();
    await page.getByText("1 selected").waitFor({ state: "detached" });
    await host.taskOnce(data.failed, "failed");
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("what has changed since it was shown is refused in words, and the rest is done", async () => {
    const { page, troubles } = await signedIn(`/tasks?q=${encodeURIComponent("Rename the settings")}`);
    const second = await host.issue(7, "Rename the settings page again, but asks first");
    const link = (await host.taskOnce(second, "completed")).chain.find((each) => each.parent_id === second);
    const other = await host.taskOnce(link?.task_id ?? "", "awaiting_approval");
    await page.getByRole("button", { name: "All that match the filter" }).click();
    await page.getByRole("button", { name: "Approve what is selected" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 tasks:").waitFor();
    await host.api("POST", `/api/tasks/${data.waiting}/cancel`, {});
    await dialog.getByLabel("A comment, if you like").fill(`yes ${canary}`);
    await dialog.getByRole("button", { name: "Approve 2 tasks" }).click();
    await dialog.getByText("Done with 1 of 2 tasks.").waitFor();
    await dialog.getByText("1 task refused, and left as before:").waitFor();
    await isWell(page, "bulk-outcome");
    const approved: TaskDetail = await host.task(other.task_id);
    expect(approved.decisions).toContainEqual(expect.objectContaining({ kind: "approve", comment: `yes ${canary}` }));
    expect((await host.task(data.waiting)).status).toBe("cancelled");
    await host.taskOnce(other.task_id, "completed"); // a list that is saved further down has it
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("an act whose answer is lost is sent again under its key, and done once", async () => {
    const { page } = await signedIn("/tasks?status=failed");
    await page.getByLabel("All shown").check();
    await page.getByRole("button", { name: "Retry what is selected" }).click();
    const keys: (string | undefined)[] = [];
    await page.route("**/api/tasks/bulk", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort();
    });
    const again = page.getByRole("dialog").getByRole("button", { name: "Retry 1 task" });
    await again.click();
    await page.getByRole("dialog").getByText("davit does not answer").waitFor();
    await again.click();
    await page.getByText("Done with 1 of 1 task.").waitFor();
    expect([keys.length, keys[0]]).toEqual([2, keys[1]]);
    await host.taskOnce(data.failed, "failed");
    await page.context().close();
  });

  test("cancel, retry, reject and approve are done to what is selected, and to nothing else", async () => {
    await host.api("POST", "/api/queue/pause", { agent: "third" });
    const make = async (agent: string, title: string): Promise<string> =>
      ((await host.api("POST", "/api/tasks", { agent, title, payload: { mode: "noop" } })) as { task_id: string }).task_id;
    const one = await make("third", "Bulk one");
    const two = await make("third", "Bulk two");
    const spared = await make("third", "Bulk spared");
    const good = await make("second", "Bulk good");
    const bad = await make("second", "Bulk bad");
    const undecided = await make("second", "Bulk later");
    const { page, troubles } = await signedIn("/tasks?q=bulk");
    const row = (title: string) => page.getByRole("row").filter({ hasText: title });
    await expect.poll(() => page.getByRole("row").count()).toBe(7);
    const act = async (titles: string[], name: string, comment: string | null): Promise<void> => {
      for (const title of titles) await page.getByLabel(`Select ${title}`, { exact: true }).check();
      await page.getByText(`${titles.length} selected`).waitFor();
      await page.getByRole("button", { name: `${name} what is selected` }).click();
      const dialog = page.getByRole("dialog", { name: `${name} tasks` });
      const button = dialog.getByRole("button", { name: `${name} ${titles.length} task${titles.length === 1 ? "" : "s"}` });
      await button.waitFor();
      const samples = dialog.getByRole("list", { name: "Some of them" });
      expect((await samples.getByRole("listitem").allTextContents()).sort()).toEqual(titles);
      if (comment !== null) await dialog.getByRole("textbox").fill(comment);
      await button.click();
      await dialog.getByText(`Done with ${titles.length} of ${titles.length} task`).waitFor();
      await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
      await page.getByText(`${titles.length} selected`).waitFor({ state: "detached" });
    };
    const statuses = (): Promise<string[]> =>
      Promise.all([one, two, spared, good, bad, undecided].map(async (id) => (await host.task(id)).status));
    await act(["Bulk one", "Bulk two"], "Cancel", "not needed");
    for (const title of ["Bulk one", "Bulk two"]) await row(title).getByText("Cancelled").waitFor();
    const waits = "awaiting_approval";
    expect(await statuses()).toEqual(["cancelled", "cancelled", "queued", waits, waits, waits]);
    await act(["Bulk one", "Bulk two"], "Retry", null);
    for (const title of ["Bulk one", "Bulk two"]) await row(title).getByText("Queued").waitFor();
    await act(["Bulk bad"], "Reject", "not like that");
    await row("Bulk bad").getByText("Cancelled").waitFor();
    await act(["Bulk good"], "Approve", "like that");
    await row("Bulk good").getByText("Completed").waitFor();
    expect(await statuses()).toEqual(["queued", "queued", "queued", "completed", "cancelled", waits]);
    expect((await host.task(bad)).decisions).toMatchObject([{ kind: "reject", comment: "not like that", by: "admin" }]);
    expect((await host.task(good)).decisions).toMatchObject([{ kind: "approve", comment: "like that", by: "admin" }]);
    await host.api("POST", `/api/tasks/${undecided}/cancel`, {});
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("a reader selects nothing, and a server that does not answer says so in the dialog", async () => {
    const reader = await signedIn("/tasks", undefined, host.readerToken);
    await reader.page.getByRole("table", { name: "Tasks" }).getByRole("link").first().waitFor();
    expect(await reader.page.getByRole("checkbox").count()).toBe(0);
    await reader.page.context().close();
    const { page } = await signedIn("/tasks");
    await page.getByLabel("All shown").check();
    await page.route("**/api/tasks/bulk/preview", (route) => route.abort());
    await page.getByRole("button", { name: "Reject what is selected" }).click();
    await page.getByRole("dialog").getByText("davit does not answer").waitFor();
    await page.unroute("**/api/tasks/bulk/preview");
    await page.getByRole("dialog").getByRole("button", { name: "Try again" }).click();
    await page.getByRole("dialog").getByText("left out:").waitFor();
    await page.context().close();
  });
});

test("the list is saved as it is filtered, as a table and as lines of JSON", async () => {
  const { page, troubles } = await signedIn("/tasks?status=completed");
  const { tasks } = (await host.api("GET", "/api/dashboard/tasks?status=completed&limit=500")) as unknown as TaskPage;
  const saved = async (name: string): Promise<string> => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name, exact: true }).click();
    return readFileSync(await (await download).path(), "utf8");
  };
  const lines = (await saved("NDJSON file")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { task_id: string }).task_id)).toEqual(tasks.map((task) => task.task_id));
  const table = await saved("CSV file");
  for (const task of tasks) expect(table).toContain(`"${task.task_id}","completed"`);
  expect(table).not.toContain(data.failed);
  expect(troubles).toEqual([]);
  await page.context().close();
});

describe("the overview", () => {
  test.each(widths)("says what waits since when, what was decided, and what ran: %i px", async (width) => {
    const { page, troubles } = await signedIn("/", { theme: "light", width });
    const waiting = await host.issue(20 + widths.indexOf(width), "Rename the help page, but asks first");
    const link = (await host.taskOnce(waiting, "completed")).chain.find((each) => each.parent_id === waiting);
    await host.taskOnce(link?.task_id ?? "", "awaiting_approval");
    // It is told while one looks.
    const list = page.getByRole("list", { name: "Waiting for approval" });
    await list.locator(`a[href="/tasks/${link?.task_id ?? ""}"]`).waitFor();
    await list.getByText("asked").first().waitFor();
    await page.getByRole("list", { name: "Decisions" }).getByText(canary, { exact: false }).first().waitFor();
    await page.getByRole("img", { name: /^Executions of each day from / }).scrollIntoViewIfNeeded();
    await isWell(page, "overview-activity");
    await host.api("POST", `/api/tasks/${link?.task_id ?? ""}/reject`, { comment: "not now" });
    await page.getByRole("list", { name: "Decisions" }).getByText("reject by admin: “not now”").first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("the chart is what the API says, by hour and by cost, and the address holds the choice", async () => {
    const { page, troubles } = await signedIn("/");
    await page.getByRole("button", { name: "Cost", exact: true }).click();
    await page.getByRole("button", { name: "24 hours" }).click();
    const chart = page.getByRole("img", { name: /^Cost of each hour from / });
    await chart.waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe("?metric=cost&bucket=hour");
    // What was rejected is worked on once more, and then costs more: what both say is compared, whenever that is.
    const asSaid = async (): Promise<boolean> => {
      const said = (await host.api("GET", "/api/dashboard/series?metric=cost&bucket=hour")) as unknown as Series;
      const sum = said.points.reduce((all, point) => all + (point.value ?? 0), 0);
      return sum > 0 && ((await chart.getAttribute("aria-label")) ?? "").includes(`${usd(sum)} in all`);
    };
    await expect.poll(asSaid).toBe(true);
    await expect.poll(() => chart.locator("title").count()).toBe(24);
    await page.reload();
    await chart.waitFor();
    await page.getByRole("button", { name: "Executions", exact: true }).click();
    await page.getByRole("img", { name: /^Executions of each hour/ }).waitFor();
    await page.getByText(/executions? went wrong/).waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});
