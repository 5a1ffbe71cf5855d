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

// What is cut off at the side of the thing around it, or lies over what stands beside it in a line.
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const text = (element: Element): string => `${element.tagName} ${(element.textContent || "").slice(0, 40)}`;
    for (const row of document.querySelectorAll("[role=row], main li, main nav")) {
      const around = row.getBoundingClientRect();
      for (const part of row.children) {
        const box = part.getBoundingClientRect();
        if (box.width === 0 || getComputedStyle(part).position === "absolute") continue;
        if (box.right > around.right + 1) found.push(`cut off: ${text(part)}`);
        const beside = part.previousElementSibling?.getBoundingClientRect();
        if (beside && beside.width > 0 && Math.abs(beside.top - box.top) < 2 && beside.right > box.left + 1 && box.left > beside.left)
          found.push(`over one another: ${text(part)}`);
        if (part.tagName === "A" && part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === "visible")
          found.push(`sticks out: ${text(part)}`);
      }
    }
    return found;
  });
}
