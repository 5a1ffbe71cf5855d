// What one does with a task, an agent, a delivery; and that it is seen without a reload.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Agent, Costs } from "../src/api/schema";
import { usd } from "../src/lib/format";
import { goTo, signIn } from "./browser";
import { violations } from "./checks";
import { type Data, fill } from "./host";
import { part } from "./part";
import { shot } from "./pictures";

let data: Data;
const { host, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

// What is downloaded by a click on that button, as text.
async function saved(page: Page, button: string): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  return readFileSync(await (await download).path(), "utf8");
}

test("a task is rejected with a reason, another approved by the key a, and what follows is seen without a reload", async () => {
  const { page, troubles } = await signedIn(`/tasks/${data.waiting}`);
  await page.getByRole("button", { name: "Reject" }).click();
  await page.getByLabel("What is wrong with it").fill("not like that");
  await shot(page, "reject-light-1280");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
  await page.locator("main header").getByText("Cancelled").waitFor();
  await page.getByRole("dialog").waitFor({ state: "detached" });
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

test("a reason that is typed outlasts the session, and a test event what becomes of its webhook", async () => {
  const first = await host.issue(60, "What is typed stays, and asks first");
  const id = (await host.taskOnce(first, "completed")).chain.find((link) => link.parent_id === first)?.task_id ?? "";
  await host.taskOnce(id, "awaiting_approval");
  const { page } = await signedIn(`/tasks/${id}`);
  await page.getByRole("button", { name: "Reject" }).click();
  const reason = page.getByLabel("What is wrong with it");
  await reason.fill("not like that either");
  // It is over when the act comes, and not before: whatever else asks would be told first.
  await page.route(
    "**/reject",
    async (route) => {
      await page.context().clearCookies();
      await route.continue();
    },
    { times: 1 },
  );
  await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
  await signIn(page, host.adminToken);
  await expect.poll(() => reason.inputValue()).toBe("not like that either");
  await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
  await page.locator("main header").getByText("Cancelled").waitFor();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect((await host.task(id)).decisions).toMatchObject([{ kind: "reject", comment: "not like that either" }]);

  await goTo(page, "/plugins");
  await page.getByRole("button", { name: "Send a test event to github" }).click();
  const body = page.getByRole("dialog").getByLabel("Body");
  await expect.poll(() => body.isEnabled()).toBe(true);
  await body.fill('{"typed": "by hand"}');
  await host.api("POST", "/api/plugins/webhook/github/disable", {});
  await page.getByRole("dialog").getByText("github does not serve any more (disabled)").waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await body.inputValue()).toBe('{"typed": "by hand"}');
  await host.api("POST", "/api/plugins/webhook/github/enable", {});
  await page.getByRole("dialog").getByText("github does not serve any more").waitFor({ state: "detached" });
  expect(await body.inputValue()).toBe('{"typed": "by hand"}');
  await page.context().close();
});

test("an approver sees every member of what he approves, whatever it is named, also once it was asked for again", async () => {
  const payload = '{"mode":"noop","issue":12345678901234567890,"__proto__":{"command":"rm -rf /"}}';
  const made = await fetch(`${host.url}/api/tasks`, {
    method: "POST",
    headers: { Authorization: `Bearer ${host.adminToken}`, "Content-Type": "application/json" },
    body: `{"agent":"second","title":"Has more than one sees","payload":${payload}}`,
  });
  const { task_id } = (await made.json()) as { task_id: string };
  await host.taskOnce(task_id, "awaiting_approval");
  const { page, troubles } = await signedIn();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  let answers = 0;
  page.on("requestfinished", (request) => (answers += request.url().endsWith(`/tasks/${task_id}`) ? 1 : 0));
  await page.goto(`${host.url}/tasks/${task_id}`);
  // A second time when the stream of changes begins.
  await expect.poll(() => answers).toBeGreaterThan(1);
  await page.getByRole("tab", { name: "All it gets" }).click();
  await page.getByRole("button", { name: "__proto__:" }).click();
  await page.getByText('"rm -rf /"').waitFor();
  await page.getByRole("button", { name: "Copy all that is approved" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("rm -rf /");
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a failed task is run once more, and a running one cancelled", async () => {
  const { page } = await signedIn(`/tasks/${data.failed}`);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
  await expect.poll(async () => (await host.task(data.failed)).agent_executions.length).toBe(2);
  await host.taskOnce(data.failed, "failed");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await goTo(page, `/tasks/${data.running}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.locator("main header").getByText("Cancelled").waitFor();
  await page.context().close();
});

test("a task whose delivery comes while one looks appears", async () => {
  const { page } = await signedIn("/tasks");
  await page.getByRole("row").nth(1).waitFor();
  const id = await host.issue(7, "Came while somebody looked");
  await page.getByText("Came while somebody looked").waitFor();
  await host.taskOnce(id, "completed"); // it costs something, and what comes next sums up
  await page.context().close();
});

test("a task leads to the delivery that it came from and back, and what is copied is what stands there", async () => {
  const { page, troubles } = await signedIn(`/tasks/${data.hostile}`);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy the task's id" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(data.hostile);
  await page.locator(`main a[href="/deliveries/${data.delivery}"]`).click();
  await page.getByText("Timing of the hooks").waitFor();
  await page.getByRole("button", { name: "Copy the delivery's id" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(data.delivery);
  await page.getByRole("link", { name: data.hostile }).click();
  await expect.poll(() => page.url()).toBe(`${host.url}/tasks/${data.hostile}`);
  expect(troubles).toEqual([]);
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
  await page.getByRole("button", { name: "Pause all agents" }).click();
  await page.getByText("All agents are paused: tasks wait, what runs goes on.").waitFor();
  expect(await host.api("GET", "/api/dashboard/queue")).toMatchObject({ paused: true });
  await page.getByRole("button", { name: "Resume all agents" }).click();
  await page.getByText("All agents are paused").waitFor({ state: "detached" });
  await goTo(page, "/plugins");
  await page.getByRole("button", { name: "Disable worker" }).click();
  await page.getByRole("button", { name: "Enable worker" }).waitFor();
  const agents = (await host.api("GET", "/api/dashboard/agents")) as unknown as { agents: Agent[] };
  expect(agents.agents.find((agent) => agent.name === "worker")).toMatchObject({ state: "disabled", override: "disabled" });
  await page.getByRole("button", { name: "Enable worker" }).click();
  await page.getByRole("button", { name: "Disable worker" }).waitFor();
  await goTo(page, `/deliveries/${data.delivery}`);
  await page.getByRole("button", { name: "Dry run" }).click();
  await page.getByRole("dialog").getByText("1 task and 0 actions; nothing of it was done.").waitFor();
  await shot(page, "dry-run-light-1280");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Replay" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await page.getByText("Replay of").waitFor();
  expect(page.url()).not.toContain(data.delivery);
  // The exact time shows where one points, though the row is a link.
  await goTo(page, "/deliveries");
  await page.getByRole("heading", { name: "Turned away" }).waitFor(); // which stands above them
  const time = page.getByRole("region", { name: "Deliveries" }).locator("li time").first();
  await time.hover();
  const at = new Date((await time.getAttribute("datetime")) ?? "");
  const there = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", timeStyle: "medium" }).format(at);
  expect(await time.getAttribute("title")).toContain(there);
  expect(troubles).toEqual([]);
  // Refused it says so where one looks: within the dialog.
  await goTo(page, `/deliveries/${data.delivery}`);
  await page.getByRole("button", { name: "Replay" }).click();
  await host.api("POST", "/api/plugins/webhook/github/disable", {});
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await host.api("POST", "/api/plugins/webhook/github/enable", {});
  await page.context().close();
});

test("what is made for tomorrow, or was put off by its agent, says when it runs: in the list, on a card, on its page", async () => {
  const runAt = new Date(Date.now() + 23 * 3_600_000).toISOString();
  const make = async (body: object): Promise<string> => ((await host.api("POST", "/api/tasks", body)) as { task_id: string }).task_id;
  const later = await make({ agent: "third", title: "Held for later, until tomorrow", run_at: runAt });
  const putOff = await make({ agent: "third", title: "Held for later, by its agent", payload: { mode: "rate_limited" } });
  await expect.poll(async () => (await host.task(putOff)).agent_executions.at(0)?.outcome).toBe("failed");
  const { page, troubles } = await signedIn("/tasks?q=later");
  for (const [width, lines] of [
    [1280, page.getByRole("row")],
    [380, page.getByRole("list", { name: "Tasks" }).getByRole("listitem")],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    const tomorrow = lines.filter({ hasText: "until tomorrow" });
    await tomorrow.getByText("runs in 23 h · manual").waitFor();
    await lines.filter({ hasText: "by its agent" }).getByText("runs in 1 h · slow down").waitFor();
    // The exact time when one points at it, in the zone of whoever looks.
    const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long", timeZone: "Europe/Berlin" });
    expect(await tomorrow.getByText("in 23 h", { exact: true }).getAttribute("title")).toBe(exact.format(new Date(runAt)));
    await shot(page, `tasks-later-light-${width}`);
  }
  expect(await violations(page)).toEqual([]);
  await goTo(page, `/tasks/${later}`);
  await page.getByText("It waits for its time").waitFor();
  await page.getByText("It runs in 23 h, if its agent is free for it then.").waitFor();
  await goTo(page, `/tasks/${putOff}`);
  await page.getByText("It runs in 1 h. What its last try said: slow down").waitFor();
  expect(await violations(page)).toEqual([]);
  expect(troubles).toEqual([]);
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
