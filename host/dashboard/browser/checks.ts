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

// What one points at that is too small to be hit: below 24 pixels of height or width, with what belongs to it (a box with its label).
// A link within a text is as high as its line.
export async function tooSmall(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const checker = (
      window as unknown as {
        axe: { run: (where: Document, options: object) => Promise<{ violations: { nodes: { html: string }[] }[] }> };
      }
    ).axe;
    const found = await checker.run(document, { runOnly: ["target-size"] });
    const close = found.violations.flatMap((each) => each.nodes.map((node) => `too close to another: ${node.html}`));
    const small: string[] = [];
    for (const element of document.querySelectorAll("button, select, input, textarea, summary, [role=tab], nav a")) {
      const { width, height } = (element.closest("label") ?? element).getBoundingClientRect();
      if (width > 1 && (width < 24 || height < 24))
        small.push(`${width.toFixed(0)} x ${height.toFixed(0)}: ${element.tagName} ${element.getAttribute("aria-label") ?? (element.textContent || "").slice(0, 80)}`);
    }
    return [...close, ...small];
  });
}

// Text that is not all there: cut off at the edge of something that does not let it out.
export function cutText(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("main, main *")]
      .filter((element) => {
        const { overflowX, overflowY } = getComputedStyle(element);
        if (element.clientWidth <= 1 || !element.textContent) return false; // for who listens only, or no text
        return (
          (overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) ||
          (overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1)
        );
      })
      .map((element) => `${element.tagName} ${element.className.toString().slice(0, 60)}: ${element.textContent.slice(0, 60)}`),
  );
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
