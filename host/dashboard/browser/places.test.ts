// Where one was in a list is where one comes back to, and what one looks at stays where it is.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { part } from "./part";
import { isLive } from "./requests";

const many = 250;
const make = async (title: string): Promise<void> => void (await host.api("POST", "/api/tasks", { agent: "third", title, payload: {} }));
const { host, signedIn } = part({}, async (filled) => {
  await filled.api("POST", "/api/queue/pause", { agent: "third" });
  for (let made = 0; made < many; ++made)
    await filled.api("POST", "/api/tasks", { agent: "third", title: `Waits, number ${made}`, payload: {} });
});

const table = (page: Page) => page.getByRole("table", { name: "Tasks" });
const scrolled = (page: Page): Promise<number> => table(page).evaluate((element) => element.scrollTop);

// Scrolls there, once so much of the list is loaded.
async function scrollTo(page: Page, top: number): Promise<void> {
  await expect
    .poll(() =>
      table(page).evaluate((element, to) => {
        element.scrollTo(0, to);
        return element.scrollTop;
      }, top),
    )
    .toBe(top);
}

// The row that a mouse over the middle of the list points at, and where it stands.
async function pointedAt(page: Page): Promise<{ title: string; y: number }> {
  return table(page).evaluate((element) => {
    const { left, top, height } = element.getBoundingClientRect();
    const row = document.elementFromPoint(left + 300, top + height / 2)?.closest("[role=row]");
    return { title: row?.querySelector("a")?.textContent ?? "", y: Math.round(row?.getBoundingClientRect().top ?? -1) };
  });
}

test("Back, and the link above a task, lead to where one was in the list, with its filters and the chosen row", async () => {
  const { page, troubles } = await signedIn("/tasks?agent=third&period=24h");
  await page.getByText(`Waits, number ${many - 1}`, { exact: true }).waitFor();
  await scrollTo(page, 6000);
  const before = await pointedAt(page);
  await page.getByRole("link", { name: before.title, exact: true }).click();
  await page.getByRole("heading", { name: before.title, level: 1 }).waitFor();
  await page.goBack();
  await table(page).waitFor();
  await expect.poll(() => scrolled(page)).toBe(6000);
  expect(await pointedAt(page)).toEqual(before);

  await page.keyboard.press("j"); // the first
  const chosen = page.locator("[role=row][aria-current=true]");
  await chosen.waitFor();
  await page.keyboard.press("j");
  const title = (await chosen.getByRole("link").textContent()) ?? "";
  const at = await scrolled(page);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: title, level: 1 }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "Tasks", exact: true }).click();
  await chosen.getByText(title).waitFor();
  expect([new URL(page.url()).search, await scrolled(page)]).toEqual(["?agent=third&period=24h", at]);
  // Another filter is another list, which begins at its top; what was left is found again by Back.
  await scrollTo(page, 3000);
  await page.getByLabel("Status").selectOption("queued");
  await expect.poll(() => page.url()).toContain("status=queued");
  await expect.poll(() => scrolled(page)).toBe(0);
  await page.goBack();
  await expect.poll(() => scrolled(page)).toBe(3000);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a page that scrolls as a whole is found again by Back, too", async () => {
  const { page } = await signedIn("/audit", { theme: "light", width: 1280, height: 500 });
  const scroller = page.locator("[data-scroll]");
  const offset = (): Promise<number> => scroller.evaluate((element) => element.scrollTop);
  await page.getByText("create task").filter({ visible: true }).first().waitFor();
  await expect
    .poll(() =>
      scroller.evaluate((element) => {
        element.scrollTo(0, 900);
        return element.scrollTop;
      }),
    )
    .toBe(900);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Costs" }).click();
  await page.getByRole("heading", { name: "Costs", level: 1 }).waitFor();
  expect(await offset()).toBe(0);
  await page.goBack();
  await page.getByRole("heading", { name: "Audit", level: 1 }).waitFor();
  await expect.poll(offset).toBe(900);
  await page.context().close();
});

test("what comes in above moves no row that one looks at, and at the top one sees it come", async () => {
  const { page, troubles } = await signedIn("/tasks?agent=third");
  await isLive(page);
  await page.getByText(`Waits, number ${many - 1}`, { exact: true }).waitFor();
  await scrollTo(page, 1610);
  const before = await pointedAt(page);
  expect(before.title).toContain("Waits, number");
  for (const title of ["Comes first", "Comes second", "Comes third"]) await make(title);
  await expect.poll(() => scrolled(page)).toBe(1610 + 3 * 46);
  expect(await pointedAt(page)).toEqual(before);
  await scrollTo(page, 0);
  await page.getByText("Comes third").waitFor();
  await make("Comes last");
  await page.getByText("Comes last").waitFor();
  expect(await scrolled(page)).toBe(0);
  expect(troubles).toEqual([]);
  await page.context().close();
});
