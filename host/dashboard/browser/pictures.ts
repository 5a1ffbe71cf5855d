// Pictures of pages and figures, kept where DAVIT_SCREENSHOTS says; and what holds of each page that is pictured.
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { heightFor } from "./browser";
import { cutOff, sideways, violations } from "./checks";

const folder = process.env["DAVIT_SCREENSHOTS"];
if (folder) mkdirSync(folder, { recursive: true });

// A screen and a phone.
export const widths = [1280, 380];

export async function shot(page: Page, name: string): Promise<void> {
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

// A figure that is kept beside the pictures.
export function note(file: string, figure: string): void {
  if (folder) appendFileSync(join(folder, file), `${figure}\n`);
}

// Nothing stands in the place of what is still to come, neither of a list nor of a chart.
export async function isThere(page: Page): Promise<void> {
  await expect.poll(() => page.getByRole("status", { name: "Loading" }).count()).toBe(0);
}

// What is shown is all there and fits into its width; it is accessible in both themes, and pictured.
export async function isWell(page: Page, name: string): Promise<void> {
  await isThere(page);
  // Once it has come to rest: a width that was just set is followed a moment later.
  await expect.poll(async () => [name, await sideways(page)]).toEqual([name, 0]);
  await expect.poll(async () => [name, await cutOff(page)]).toEqual([name, []]);
  for (const theme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    // Colours that pass over into others have done so.
    await page.evaluate(() =>
      Promise.allSettled(document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished)),
    );
    expect([name, theme, await violations(page)]).toEqual([name, theme, []]);
    await shot(page, `${name}-${theme}-${page.viewportSize()?.width ?? 0}`);
  }
}

// The same on a screen and on a phone, for what does not need to be opened anew for that.
export async function isWellEverywhere(page: Page, name: string): Promise<void> {
  for (const width of [...widths].reverse()) {
    await page.setViewportSize({ width, height: heightFor(width) });
    await isWell(page, name);
  }
}
