// What a person decides, and what he sets: Chromium, the real host, signed deliveries.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, beforeAll, expect, test } from "vitest";
import type { Agent, DeliveryDetail, DeliveryPage, TaskDetail, TaskPage, Transcript } from "../src/api/schema";
import { goTo } from "./browser";
import { sideways, violations } from "./checks";
import { canary } from "./host";
import { part } from "./part";
import { isWell, shot, widths } from "./pictures";

const { host, signedIn } = part();

// The task that waits for approval after the one that asked for it, and that one.
async function waiting(number: number, title: string): Promise<{ first: string; next: TaskDetail }> {
  const first = await host.issue(number, title);
  const done = await host.taskOnce(first, "completed");
  const link = done.chain.find((each) => each.parent_id === first);
  return { first, next: await host.taskOnce(link?.task_id ?? "", "awaiting_approval") };
}

const lastLine = async (id: string): Promise<string | undefined> => {
  const said = (await host.api("GET", `/api/dashboard/tasks/${id}/transcript?limit=1`)) as unknown as Transcript;
  return said.executions[0]?.lines.at(-1)?.line;
};

describe("a decision", () => {
  let made: { first: string; next: TaskDetail };
  let again: TaskDetail;

  beforeAll(async () => {
    made = await waiting(1, "Rename the settings page, but asks first");
  });

  test("the plan is read as it is meant, and nothing in it comes to life", async () => {
    const { page, troubles } = await signedIn(`/tasks/${made.next.task_id}`);
    await page.getByRole("heading", { name: "Rename the settings page", exact: true }).waitFor();
    expect(await page.getByRole("link", { name: "the guide" }).getAttribute("href")).toBe("https://docs.example/settings");
    await page.getByRole("cell", { name: "it names the page" }).waitFor();
    await page.getByText("<script>window.broken=1</script> <img src=x onerror=window.broken=1> [bad](javascript:").waitFor();
    await page.getByRole("tab", { name: "All it gets" }).click();
    await page.getByText(made.next.approval?.content_hash ?? "no hash", { exact: true }).waitFor();
    await page.getByRole("tab", { name: "Source" }).click();
    await page.getByText("## nowhere").waitFor({ state: "detached" });
    await page.getByText("# Rename the settings page", { exact: false }).first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(await page.locator("main script, main img").count()).toBe(0);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("what was rejected is compared with what came instead, and that is approved by its hash", async () => {
    const { page, troubles } = await signedIn(`/tasks/${made.next.task_id}`);
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByLabel("What is wrong with it").fill(`smaller steps ${canary}`);
    await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
    await page.locator("main header").getByText("Cancelled").waitFor();
    let link: TaskDetail["chain"][number] | undefined;
    await expect
      .poll(async () => {
        const { chain } = await host.task(made.first);
        link = chain.findLast((each) => each.agent === "second" && each.task_id !== made.next.task_id);
        return link?.status;
      })
      .toBe("awaiting_approval");
    again = await host.task(link?.task_id ?? "");
    await goTo(page, `/tasks/${again.task_id}`);
    await page.getByText("compared with the plan that admin rejected").waitFor();
    await page.getByText(`“smaller steps ${canary}”`).waitFor();
    await page.getByRole("tab", { name: "Changes" }).click();
    const changes = page.getByRole("region", { name: "Changes" });
    await expect.poll(async () => [await changes.locator("ins").count(), await changes.locator("del").count()]).toEqual([1, 1]);
    expect(await changes.locator("ins").textContent()).toContain("Change it, draft ");
    // All that was rejected is known, not its plan only.
    expect(await page.getByText("only the plans are compared").count()).toBe(0);
    await shot(page, "task-changes-light-1280");
    expect(await violations(page)).toEqual([]);
    // Of the whole chain there is a graph, whose tasks are links, and a list.
    await page.getByRole("link", { name: /^second, Cancelled, not approved/ }).waitFor();
    await page.getByRole("link", { name: /^second, Needs approval, waits for approval/ }).waitFor();
    await page.getByRole("tablist", { name: "Chain" }).getByRole("tab", { name: "List" }).click();
    await expect.poll(() => page.getByRole("tabpanel", { name: "List" }).getByRole("link").count()).toBe(4);
    await page.getByRole("tablist", { name: "Chain" }).getByRole("tab", { name: "Graph" }).click();
    await page.getByRole("link", { name: /^second, Cancelled/ }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain(made.next.task_id);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test.each(widths)("a plan, its changes and the chain are accessible and fit: %i px", async (width) => {
    const { page, troubles } = await signedIn(`/tasks/${again.task_id}`, { theme: "light", width });
    await page.getByRole("heading", { name: "Rename the settings page", exact: true }).waitFor();
    await page.getByText("compared with").waitFor();
    if (width === 380) await page.locator("[role=group][aria-label=Code] ~ [data-more=right]").waitFor();
    await isWell(page, "task-plan");
    await page.getByRole("tab", { name: "Changes" }).click();
    await isWell(page, "task-changes");
    await page.getByRole("tab", { name: "All it gets" }).click();
    await page.getByText("An approval holds for exactly this").waitFor();
    await isWell(page, "task-bound");
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("it is approved by the key a, with the hash that the page shows", async () => {
    const { page } = await signedIn(`/tasks/${again.task_id}`);
    await page.getByText("A person decides").waitFor();
    await page.keyboard.press("a");
    await page.getByLabel("A comment, if you like").fill(`as you say ${canary}`);
    await shot(page, "approve-light-1280");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await page.locator("main header").getByText("Completed").waitFor();
    expect((await host.task(again.task_id)).decisions).toContainEqual(
      expect.objectContaining({
        kind: "approve",
        content_hash: again.approval?.content_hash,
        comment: `as you say ${canary}`,
      }),
    );
    await page.getByText(`as you say ${canary}`).waitFor();
    // What was approved stays to be read.
    await page.getByRole("heading", { name: "Rename the settings page", exact: true }).waitFor();
    await page.context().close();
  });

  test("a plan that comes later for the same thing is compared with what was approved last", async () => {
    const { next } = await waiting(1, "Rename the settings page once more, but asks first");
    expect(next.approved_before).toMatchObject({ task_id: again.task_id, kept: true });
    const { page, troubles } = await signedIn(`/tasks/${next.task_id}`);
    await page.getByText("compared with the plan that admin approved").waitFor();
    await page.getByText(`“as you say ${canary}”`).waitFor();
    await page.getByRole("tab", { name: "Changes" }).click();
    const changes = page.getByRole("region", { name: "Changes" });
    await expect.poll(async () => [await changes.locator("ins").count(), await changes.locator("del").count()]).toEqual([1, 1]);
    // One whose text is gone is named, and nothing is shown as if it were known.
    await page.route(`**/api/dashboard/tasks/${next.task_id}`, async (route) => {
      const task = (await (await route.fetch()).json()) as TaskDetail;
      await route.fulfill({ json: { ...task, approved_before: { ...task.approved_before, kept: false } } });
    });
    await page.reload();
    await page.getByText("Its text is not kept, so it cannot be shown what has changed since.").waitFor();
    expect(await page.getByRole("tab", { name: "Changes" }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await shot(page, "task-not-kept-light-1280");
    await host.api("POST", `/api/tasks/${next.task_id}/cancel`, {});
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});

describe("the page of approvals", () => {
  test("shows what waits, the longest first, and what is decided there by its keys is what was shown", async () => {
    const first = await waiting(50, "Rename the help page, but asks first");
    const second = await waiting(51, `${canary} asks first`);
    const { page, troubles } = await signedIn("/approvals?agent=second");
    const list = page.getByRole("region", { name: "Waiting for approval" });
    await list.getByRole("link", { name: canary }).waitFor();
    const shown = (): Promise<(string | null)[]> =>
      list.getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    await expect.poll(shown).toEqual([first, second].map(({ next }) => `/tasks/${next.task_id}`));
    await page.getByRole("link", { name: /^Approvals\s*2 wait/ }).waitFor();
    await list.getByText("Rename the settings page", { exact: true }).first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("a");
    const dialog = page.getByRole("dialog", { name: "Approve this task?" });
    await dialog.getByRole("region", { name: "Plan" }).getByRole("cell", { name: "it names the page" }).waitFor();
    await dialog.getByLabel("A comment, if you like").fill(`do ${canary}`);
    await shot(page, "approvals-approve-light-1280");
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("link", { name: /^Approvals\s*1 wait/ }).waitFor();
    // That may be told before the act is answered, and as long as the dialog is there the keys are its own.
    await dialog.waitFor({ state: "detached" });
    expect((await host.task(first.next.task_id)).decisions).toContainEqual(
      expect.objectContaining({ kind: "approve", way: "dashboard", content_hash: first.next.approval?.content_hash }),
    );
    await page.keyboard.press("j");
    await page.keyboard.press("r");
    await page.getByLabel("What is wrong with it").fill("not this one");
    await page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
    // Another one comes in its place, from the agent that it was sent back to.
    await list.locator(`a[href="/tasks/${second.next.task_id}"]`).waitFor({ state: "detached" });
    await page.getByRole("tab", { name: "Decided" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("show")).toBe("decided");
    const decided = page.getByRole("region", { name: "Decisions" });
    await decided.getByText("“not this one”").waitFor();
    await decided.getByText(`“do ${canary}”`).waitFor();
    await page.goBack();
    await list.waitFor();
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("its buttons approve and reject the task beside which they stand", async () => {
    const { next: good } = await waiting(60, "Rename the start page, but asks first");
    const { next: bad } = await waiting(61, "Rename the last page, but asks first");
    const { page, troubles } = await signedIn("/approvals");
    const list = page.getByRole("region", { name: "Waiting for approval" });
    await list.getByRole("button", { name: `Approve ${good.title}`, exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Approve", exact: true }).click();
    await list.locator(`a[href="/tasks/${good.task_id}"]`).waitFor({ state: "detached" });
    await list.getByRole("button", { name: `Reject ${bad.title}`, exact: true }).click();
    await page.getByLabel("What is wrong with it").fill("by its button");
    await page.getByRole("dialog").getByRole("button", { name: "Reject", exact: true }).click();
    await list.locator(`a[href="/tasks/${bad.task_id}"]`).waitFor({ state: "detached" });
    expect((await host.task(good.task_id)).decisions).toMatchObject([{ kind: "approve", way: "dashboard" }]);
    expect((await host.task(bad.task_id)).decisions).toMatchObject([{ kind: "reject", comment: "by its button" }]);
    // What was sent back comes again.
    await expect.poll(() => list.getByRole("listitem").count()).toBe(2);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  // The page is shown what waited before, as if a newer event had come since.
  test.each(["/approvals", "the page of the task"])("what came in the place of what was shown is not rejected: %s", async (where) => {
    const made = await host.api("POST", "/api/tasks", { agent: "second", title: `Seen on ${where}`, payload: {} });
    const { task_id: id, title } = await host.task((made as unknown as TaskDetail).task_id);
    const hash = (await host.task(id)).approval?.content_hash ?? "";
    const seen = "0".repeat(64);
    const { page, troubles } = await signedIn("/");
    const shown = /\/api\/dashboard\/(tasks\/|approvals\?)/;
    await page.route(shown, async (route) => {
      await route.fulfill({ body: (await (await route.fetch()).text()).replaceAll(hash, seen), contentType: "application/json" });
    });
    await goTo(page, where.startsWith("/") ? where : `/tasks/${id}`);
    const reject = page.getByRole("button", { name: where.startsWith("/") ? `Reject ${title}` : "Reject", exact: true });
    await reject.click();
    const dialog = page.getByRole("dialog", { name: "Reject this task?" });
    await dialog.getByText(seen.slice(0, 12)).waitFor();
    await page.unroute(shown);
    await dialog.getByRole("button", { name: "Reject", exact: true }).click();
    await dialog.getByRole("alert").getByText("is not what was looked at").waitFor();
    expect(await violations(page)).toEqual([]);
    await shot(page, `reject-changed-${where.startsWith("/") ? "approvals" : "task"}-light-1280`);
    const { status, decisions } = await host.task(id);
    expect([status, decisions]).toEqual(["awaiting_approval", []]);
    // After a look at what waits now it goes.
    await dialog.getByRole("button", { name: "Back" }).click();
    await expect
      .poll(async () => {
        await reject.click();
        const says = await dialog.textContent();
        if (!says?.includes(hash.slice(0, 12))) await dialog.getByRole("button", { name: "Back" }).click();
        return says;
      })
      .toContain(hash.slice(0, 12));
    await dialog.getByRole("button", { name: "Reject", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    expect((await host.task(id)).decisions).toMatchObject([{ kind: "reject", way: "dashboard", content_hash: hash }]);
    // The refused one is told by the browser's console.
    expect(troubles.filter((each) => !each.includes("409"))).toEqual([]);
    await page.context().close();
  });

  test.each(widths)("goes on page by page, is accessible and fits: %i px", async (width) => {
    const long = "A title that says in so many words what is the matter that nobody would ever read it to its end on a phone";
    for (let number = 0; number < 30; ++number)
      await host.api("POST", "/api/tasks", { agent: "second", title: `${long}, ${width} ${number}`, payload: {} });
    const { page, troubles } = await signedIn("/approvals", { theme: "light", width });
    const list = page.getByRole("region", { name: "Waiting for approval" });
    await list.getByRole("link").nth(14).waitFor();
    await isWell(page, "approvals-many");
    await list.getByRole("button", { name: "Plan", exact: true }).first().click();
    await list.getByRole("region", { name: "Plan" }).scrollIntoViewIfNeeded();
    await isWell(page, "approvals-plan");
    for (const more = list.getByRole("button", { name: "Later ones" }); await more.count(); ) {
      const shown = await list.getByRole("listitem").count();
      await more.click();
      await expect.poll(() => list.getByRole("listitem").count()).toBeGreaterThan(shown);
    }
    const ids = await list.locator("h2 a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    expect([new Set(ids).size, ids.length]).toEqual([ids.length, widths.indexOf(width) * 30 + 32]);
    await page.getByRole("tab", { name: "Decided" }).click();
    await page.getByRole("region", { name: "Decisions" }).getByText("“not this one”").waitFor();
    await isWell(page, "approvals-decided");
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("a long history is read page by page", async () => {
    const found = (await host.api("GET", "/api/dashboard/tasks?status=awaiting_approval&limit=60")) as unknown as TaskPage;
    for (const { task_id } of found.tasks) await host.api("POST", `/api/tasks/${task_id}/reject`, { comment: "enough" });
    const { page } = await signedIn("/approvals?show=decided");
    const lines = page.getByRole("region", { name: "Decisions" }).getByRole("listitem");
    await expect.poll(() => lines.count()).toBe(50);
    await page.getByRole("button", { name: "Older ones" }).click();
    await expect.poll(() => lines.count()).toBeGreaterThan(60);
    await page.context().close();
  });
});

describe("a test event", () => {
  test("is begun with the newest delivery, tried, sent, and marked as what it is", async () => {
    const { page, troubles } = await signedIn("/plugins");
    await page.getByRole("button", { name: "Send a test event to github" }).click();
    const dialog = page.getByRole("dialog", { name: "Test event for github" });
    await expect.poll(() => dialog.getByLabel("Headers").inputValue()).toContain("X-GitHub-Event: issues");
    await dialog.getByLabel("Begin with").selectOption("sample");
    await expect.poll(() => dialog.getByLabel("Body").inputValue()).toContain("Test event: ");
    await dialog.getByLabel("Begin with").selectOption("delivery");
    await expect.poll(() => dialog.getByLabel("Body").inputValue()).not.toContain("Test event: ");
    await shot(page, "test-event-light-1280");
    expect(await violations(page)).toEqual([]);
    const body = JSON.parse(await dialog.getByLabel("Body").inputValue()) as { issue: { title: string } };
    body.issue.title = `A test ${canary}`;
    await dialog.getByLabel("Body").fill(JSON.stringify(body));
    const count = async (): Promise<number> =>
      ((await host.api("GET", "/api/dashboard/deliveries?limit=500")) as unknown as DeliveryPage).deliveries.length;
    const before = await count();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("1 task and 0 actions; nothing of it was done.").waitFor();
    expect(await count()).toBe(before);
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("202 queued").waitFor();
    await shot(page, "test-event-sent-light-1280");
    await dialog.getByRole("link", { name: "Its delivery" }).click();
    await page.getByText("test event by admin").waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const kept = (await host.api("GET", `/api/dashboard/deliveries/${id}`)) as unknown as DeliveryDetail;
    expect(kept).toMatchObject({ tested_by: "admin", verdict: "queued", secret_number: 1 });
    expect(JSON.stringify(kept.headers)).toContain("X-Hub-Signature-256\":\"(removed)");
    expect((await host.task(kept.task_ids[0] ?? "")).title).toContain("A test");
    await goTo(page, "/deliveries");
    await page.getByText("test by admin").first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test("what is no header, and what the webhook cannot read, is said where it was typed", async () => {
    const { page } = await signedIn("/plugins", { theme: "dark", width: 380 });
    await page.getByRole("button", { name: "Send a test event to github" }).click();
    const dialog = page.getByRole("dialog");
    await expect.poll(() => dialog.getByLabel("Headers").isEnabled()).toBe(true);
    await dialog.getByLabel("Headers").fill("no header");
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("“no header” is not “Name: value”").waitFor();
    await dialog.getByLabel("Headers").fill("X-GitHub-Event: issues\nContent-Type: application/json");
    await dialog.getByLabel("Body").fill("{");
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("400 malformed").waitFor();
    expect(await sideways(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await shot(page, "test-event-dark-380");
    await page.context().close();
  });

  test("a reader is offered none", async () => {
    const { page } = await signedIn("/plugins", undefined, host.readerToken);
    await page.getByRole("heading", { name: "github", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Send a test event" }).count()).toBe(0);
    await page.context().close();
  });
});

describe("an agent", () => {
  const worker = async (): Promise<Agent | undefined> =>
    ((await host.api("GET", "/api/dashboard/agents")) as unknown as { agents: Agent[] }).agents.find(
      (agent) => agent.name === "worker",
    );

  test("gets another concurrency, which says where it is from, and its own again", async () => {
    const { page, troubles } = await signedIn("/agents");
    await page.getByRole("button", { name: "Concurrency of worker: 1. Change it" }).click();
    await page.getByLabel("Tasks at one time").fill("7");
    await shot(page, "concurrency-light-1280");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Set" }).click();
    await page.getByText("set by command, configured 1").waitFor();
    expect(await worker()).toMatchObject({ concurrency: 7, configured_concurrency: 1, concurrency_is_set: true });
    await page.getByRole("button", { name: "Concurrency of worker: 7. Change it" }).click();
    await page.getByRole("button", { name: "As configured (1)" }).click();
    await page.getByText("set by command").waitFor({ state: "detached" });
    expect(await worker()).toMatchObject({ concurrency: 1, concurrency_is_set: false });
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test.each(widths)("shows what it works on now, with a link: %i px", async (width) => {
    const id = await host.issue(40 + widths.indexOf(width), "Sorting a very large list takes long");
    await host.taskOnce(id, "running");
    const { page } = await signedIn("/agents", { theme: "light", width });
    const running = page.getByRole("list", { name: "Running now" }).getByRole("link");
    await running.first().waitFor();
    await isWell(page, "agents-running");
    await running.first().click();
    await page.getByRole("heading", { name: "Sorting a very large list takes long" }).waitFor();
    await host.api("POST", `/api/tasks/${id}/cancel`, {});
    await page.context().close();
  });
});

test("a view is saved under a name, found again after a reload, and forgotten", async () => {
  const { page, troubles } = await signedIn("/tasks?status=completed&q=asks");
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.getByLabel("Name", { exact: true }).fill(canary.slice(0, 60));
  expect(await violations(page)).toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await goTo(page, "/tasks");
  await page.reload();
  await page.getByRole("group", { name: "Saved views" }).waitFor();
  await shot(page, "views-light-1280");
  await page.getByRole("group", { name: "Saved views" }).getByRole("button", { name: canary.slice(0, 40) }).first().click();
  await expect.poll(() => page.url()).toContain("status=completed");
  expect(new URL(page.url()).searchParams.get("q")).toBe("asks");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Forget the view" }).click();
  await page.getByRole("button", { name: "Save this view" }).waitFor();
  expect(await page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("JSON that goes on to the side says so: 380 px", async () => {
  const payload = { mode: "noop", ["a_name_that_is_longer_than_a_phone_is_wide_".repeat(2)]: { value: 1 } };
  const { task_id } = (await host.api("POST", "/api/tasks", { agent: "third", title: "Wide", payload })) as unknown as TaskDetail;
  const { page, troubles } = await signedIn(`/tasks/${task_id}`, { theme: "light", width: 380 });
  const tree = page.getByRole("group", { name: "input", exact: true });
  await tree.locator("xpath=..").locator("[data-more=right]").waitFor();
  await tree.evaluate((element) => element.scrollTo(element.scrollWidth, 0));
  await tree.locator("xpath=..").locator("[data-more=left]").waitFor();
  await tree.scrollIntoViewIfNeeded();
  await isWell(page, "task-wide-json");
  expect(troubles).toEqual([]);
  await page.context().close();
});

test.each(widths)("a long transcript is read back from where one reads, and goes on at its end: %i px", async (width) => {
  const go = join(host.folder, `go-${width}`);
  const id = await host.issue(70 + widths.indexOf(width), `This one says a great deal until ${go}`);
  await host.taskOnce(id, "running");
  await expect.poll(async () => await lastLine(id)).toBe("item 2400");
  const { page, troubles } = await signedIn(`/tasks/${id}`, { theme: "light", width });
  const log = page.getByRole("log", { name: "Transcript" });
  await log.getByText("item 2400", { exact: true }).waitFor();
  const earlier = log.getByRole("button", { name: "Earlier lines" });
  const place = (text: string): Promise<number> =>
    log.evaluate((element, wanted) => {
      const line = [...element.querySelectorAll("[data-index]")].find((each) => each.lastElementChild?.textContent === wanted);
      return line ? Math.round(line.getBoundingClientRect().top - element.getBoundingClientRect().top) : NaN;
    }, text);
  for (const [first, before] of [
    [1401, "before line 1,402"],
    [401, "before line 402"],
  ] as const) {
    await log.evaluate((element) => element.scrollTo(0, 0));
    await log.getByText(before).waitFor();
    await expect.poll(() => place(`item ${first}`)).toBeLessThan(60);
    if (first === 1401) await isWell(page, "task-transcript-earlier");
    const was = await place(`item ${first}`);
    await earlier.click();
    await log.getByText(`item ${first - 1}`, { exact: true }).waitFor();
    // To the pixel, but for the space of the button that is not needed any more.
    await expect.poll(() => place(`item ${first}`)).toBe(was);
    expect(await place(`item ${first - 1}`)).toBeLessThan(was);
  }
  // All is there, down to the first, and nothing more is offered.
  await expect.poll(() => earlier.count()).toBe(0);
  await log.evaluate((element) => element.scrollTo(0, 0));
  await log.getByText("reading the task", { exact: true }).waitFor();
  // What is said now comes behind, and does not disturb whoever reads above.
  const top = await place("item 3");
  writeFileSync(go, "");
  await host.taskOnce(id, "completed");
  await page.locator("main header").getByText("Completed").waitFor();
  expect(await place("item 3")).toBe(top);
  await page.getByRole("button", { name: "To the end" }).click();
  await log.getByText("the last item", { exact: true }).waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});
