// What holds of every page: accessible by axe-core's rules, and nothing sticks out to the side.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const checker = (
      window as unknown as {
        axe: { run: (where: Document, options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe;
    const found = await checker.run(document, { resultTypes: ["violations"] });
    return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" | ")}`);
  });
}

// Does anything stick out to the side?
export function sideways(page: Page): Promise<number> {
  return page.evaluate(() =>
    Math.max(
      ...[document.documentElement, ...document.querySelectorAll("[data-scroll]")].map(
        (element) => element.scrollWidth - element.clientWidth,
      ),
    ),
  );
}
