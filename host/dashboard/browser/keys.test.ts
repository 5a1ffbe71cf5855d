// By the keyboard alone.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { goTo } from "./browser";
import { violations } from "./checks";
import { everyPage } from "./every-page";
import { type Data, fill } from "./host";
import { part } from "./part";

let data: Data;
const { host, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

// Strikes these keys one after the other, without waiting for what comes of one of them: two that belong together are struck
// within a second, however busy the page is.
async function press(page: Page, keys: string): Promise<void> {
  await Promise.all(keys.split(" ").map((key) => page.keyboard.press(key)));
}

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
  for (const [name, path, text] of everyPage(data)) {
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
  await expect.poll(async () => (await here()).name).toBe("BUTTON Send a test event to github");
  // A screen that is too low for a dialog scrolls it.
  await page.setViewportSize({ width: 380, height: 360 });
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Send" }).click({ trial: true });
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("the keyboard chooses, opens, goes to pages and helps", async () => {
  const { page } = await signedIn("/tasks");
  await page.getByRole("row").nth(2).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  await page.locator("[role=row][aria-current=true][aria-rowindex='3']").waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain(data.waiting);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await press(page, "g a");
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

test("each key that the help names does what it says", async () => {
  const made: string[] = [];
  for (const title of ["The first of three", "The second of three", "The last of three"]) {
    const task = await host.api("POST", "/api/tasks", { agent: "second", title, payload: { mode: "noop" } });
    made.push((task as { task_id: string }).task_id);
  }
  const [, , last = ""] = made;
  const { page, troubles } = await signedIn("/tasks?q=of+three");
  const struck = new Set<string>();
  const strike = async (keys: string): Promise<void> => {
    struck.add(keys);
    await press(page, keys);
  };
  const row = page.locator("[role=row][aria-current=true]");
  const dialog = page.getByRole("dialog");
  await expect.poll(() => page.getByRole("row").count()).toBe(4);
  await strike("?");
  await dialog.getByRole("row").nth(1).waitFor();
  // A line names one key, two that belong together, or two that are struck one after the other.
  const named = (await dialog.getByRole("row").evaluateAll((rows) =>
    rows.slice(1).map((line) => [
      [...line.querySelectorAll("kbd")].map((key) => key.textContent).join(" ").split(/\s+/).join(" "),
      line.lastElementChild?.textContent ?? "",
    ]),
  )) as [keys: string, what: string][];
  const pages = named.filter(([keys]) => keys.startsWith("g "));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  await strike("j");
  await row.getByText("The last of three").waitFor();
  await strike("j");
  await row.getByText("The second of three").waitFor();
  await strike("x");
  await page.getByText("1 selected").waitFor();
  await strike("x");
  await page.getByText("1 selected").waitFor({ state: "detached" });
  // The list's own a and r, which ask before they do it.
  await strike("a");
  await dialog.getByRole("button", { name: "Approve", exact: true }).click();
  await row.getByText("Completed").waitFor();
  await dialog.waitFor({ state: "detached" });
  await strike("j");
  await row.getByText("The first of three").waitFor();
  await strike("r");
  await page.getByLabel("What is wrong with it").fill("not the first");
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await row.getByText("Cancelled").waitFor();
  await dialog.waitFor({ state: "detached" });
  const tasks = await Promise.all(made.map((id) => host.task(id)));
  expect(tasks.map((task) => task.decisions.map(({ kind, comment }) => [kind, comment]))).toEqual([
    [["reject", "not the first"]],
    [["approve", null]],
    [],
  ]);
  await strike("k");
  await row.getByText("The second of three").waitFor();
  await strike("k");
  await row.getByText("The last of three").waitFor();
  await strike("Enter");
  await expect.poll(() => page.url()).toBe(`${host.url}/tasks/${last}`);
  // On its own page the same keys.
  await page.getByText("A person decides").waitFor();
  await strike("r");
  await page.getByLabel("What is wrong with it").fill("nor the last");
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await page.locator("main header").getByText("Cancelled").waitFor();
  await dialog.waitFor({ state: "detached" });
  expect((await host.task(last)).status).toBe("cancelled");

  expect(pages.length).toBe(8);
  for (const [keys, what] of pages) {
    await strike(keys);
    await page.getByRole("heading", { level: 1, name: what.split(":")[0] ?? "", exact: true }).waitFor();
  }
  // The page of approvals has them, too.
  await strike("g w");
  await page.getByRole("region", { name: "Waiting for approval" }).getByRole("listitem").first().waitFor();
  await strike("j");
  await strike("Enter");
  await expect.poll(() => page.url()).toBe(`${host.url}/tasks/${data.waiting}`);
  await strike("/");
  await page.getByRole("searchbox").and(page.locator(":focus")).waitFor();
  const all = named.flatMap(([keys]) => (keys.startsWith("g ") ? [keys] : keys.split(" ")));
  expect([...struck].sort()).toEqual(all.sort());
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a reader's keys look at things and decide nothing", async () => {
  const { page } = await signedIn("/tasks", undefined, host.readerToken);
  await page.getByRole("row").nth(2).waitFor();
  for (const path of ["/tasks?status=awaiting_approval", "/approvals", `/tasks/${data.waiting}`]) {
    await goTo(page, path);
    await page.getByText("Rename the settings page").first().waitFor();
    for (const key of ["j", "x", "a", "r"]) await page.keyboard.press(key);
    expect([path, await page.getByRole("dialog").count(), await page.getByText("selected").count()]).toEqual([path, 0, 0]);
  }
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await page.context().close();
});

test("the browser's own keys scroll the page, however one came to it, and so the list", async () => {
  const titles = Array.from({ length: 60 }, (_, index) => `To scroll past, as the ${index + 1}.`);
  for (const title of titles) await host.api("POST", "/api/tasks", { agent: "second", title, payload: { mode: "noop" } });
  const { page, troubles } = await signedIn("/", { theme: "light", width: 1280, height: 520 });
  const at = (): Promise<{ top: number; isAtEnd: boolean }> =>
    page.evaluate(() => {
      const { scrollTop, clientHeight, scrollHeight } = [...document.querySelectorAll("main [data-scroll]")].at(-1) as Element;
      return { top: scrollTop, isAtEnd: scrollTop + clientHeight >= scrollHeight - 1 };
    });
  // From its top each key does what a browser does with it.
  const scrolls = async (): Promise<void> => {
    expect((await at()).top).toBe(0);
    for (const key of ["PageDown", "Space", "ArrowDown"]) {
      const { top } = await at();
      await page.keyboard.press(key);
      await expect.poll(async () => [key, (await at()).top > top]).toEqual([key, true]);
    }
    await page.keyboard.press("End");
    await expect.poll(async () => (await at()).isAtEnd).toBe(true);
    await page.keyboard.press("Home");
    await expect.poll(async () => (await at()).top).toBe(0);
  };
  await page.getByRole("heading", { name: "Latest failures" }).waitFor();
  await scrolls(); // behind a load
  await page.getByRole("link", { name: /^Approvals\s*\d/ }).click();
  await page.getByRole("region", { name: "Waiting for approval" }).getByRole("listitem").nth(10).waitFor();
  await scrolls();
  await press(page, "g c");
  await page.getByRole("heading", { name: "Chains of agents" }).waitFor();
  await scrolls();
  // The list, whose own keys go on working.
  await press(page, "g t");
  await page.getByRole("row").nth(10).waitFor();
  await scrolls();
  await page.keyboard.press("j");
  const row = page.locator("[role=row][aria-current=true]");
  await row.getByText("To scroll past, as the 60.").waitFor();
  await page.keyboard.press("j");
  await row.getByText("To scroll past, as the 59.").waitFor();
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "To scroll past, as the 60." }).waitFor();
  await scrolls();
  // Whoever has just come is at the beginning of the document all the same.
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("link", { name: "Skip to the page" }).and(page.locator(":focus")).waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});
