// Every page for whoever has a finger and no mouse, reads it on paper, or twice as large.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { goTo } from "./browser";
import { cutOff, cutText, sideways, tooSmall } from "./checks";
import { everyPage } from "./every-page";
import { type Data, fill } from "./host";
import { type Opened, part } from "./part";
import { isThere, shot, widths } from "./pictures";

let data: Data;
const { host, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

// What is wrong with each page in turn, once all of it is there.
async function onEveryPage({ page, troubles }: Opened, faults: (name: string) => Promise<string[]>): Promise<void> {
  const found: string[] = [];
  for (const [name, path, text] of everyPage(data)) {
    await goTo(page, path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    await isThere(page);
    found.push(...(await faults(name)).map((fault) => `${name}: ${fault}`));
  }
  expect(found).toEqual([]);
  expect(troubles).toEqual([]);
  await page.context().close();
}

const sides = async (page: Page): Promise<string[]> => {
  const over = await sideways(page);
  return over > 0 ? [`${over} pixels stick out to the side`] : [];
};

test.each(widths)("what one points at is large enough to be hit: %i px", async (width) => {
  const opened = await signedIn("/", { theme: "light", width });
  const { page } = opened;
  await onEveryPage(opened, async (name) => {
    const found = await tooSmall(page);
    if (name !== "tasks" || width >= 640) return found;
    // What is ticked with a finger beside a link that covers the card is as large as a finger.
    const boxes = page.getByRole("list", { name: "Tasks" }).locator("label");
    const sizes = await boxes.evaluateAll((all) => all.map((each) => each.getBoundingClientRect()).map((box) => Math.min(box.width, box.height)));
    expect(sizes.length).toBeGreaterThan(3);
    return [...found, ...sizes.filter((size) => size < 44).map((size) => `a box of ${size} pixels`)];
  });
});

test.each([
  { width: 640, height: 360, zoom: 2 }, // a small screen at 200 %
  { width: 320, height: 640 }, // 1280 pixels at 400 %
])("twice as large and more it is read without scrolling to the side: $width px", async (look) => {
  const opened = await signedIn("/", { theme: "light", ...look });
  const { page } = opened;
  await onEveryPage(opened, async (name) => {
    await shot(page, `${name}-zoom-${look.width}`);
    return [...(await sides(page)), ...(await cutOff(page))];
  });
});

test("on paper the page stands alone, and no text of it is cut off", async () => {
  const opened = await signedIn("/", { theme: "light", width: 718, height: 1000 }); // A4 between its margins
  const { page } = opened;
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  const around = page.locator("nav[aria-label=Pages], button[aria-label='Sign out'], [data-live]").filter({ visible: true });
  await onEveryPage(opened, async (name) => {
    await shot(page, `${name}-paper-718`);
    return [...(await around.allTextContents()), ...(await sides(page)), ...(await cutText(page))];
  });
});

test("a long list is on paper from its first row to its last", async () => {
  const titles = Array.from({ length: 60 }, (_, index) => `On paper, as the ${index + 1}. of sixty, with a title that is too long for one line of it, whatever font there is`);
  for (const title of titles) await host.api("POST", "/api/tasks", { agent: "second", title, payload: {} });
  const { page } = await signedIn("/tasks?q=sixty", { theme: "light", width: 718, height: 1000 });
  await page.getByRole("row").nth(2).waitFor();
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  const rows = page.getByRole("row");
  await expect.poll(() => rows.count()).toBe(61);
  expect(await cutText(page)).toEqual([]);
  // One below the other, none over another.
  const edges = await rows.evaluateAll((all) => all.map((row) => row.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]));
  for (const [index, [top = 0]] of edges.entries()) expect(top).toBeGreaterThanOrEqual((edges[index - 1]?.[1] ?? 0) - 1);
  await shot(page, "tasks-many-paper-718");
  await page.context().close();
});
