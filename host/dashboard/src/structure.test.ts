// The rules of README.md that the compiler does not hold.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !path.includes(".test."))
  .map((path) => ({ path, text: readFileSync(join(import.meta.dirname, path), "utf8") }));

// "features/tasks" of "features/tasks/filters.tsx"; "components" of "components/icon.tsx"
function part(path: string): string {
  const folders = path.split("/").slice(0, -1);
  return folders.slice(0, folders[0] === "features" ? 2 : 1).join("/");
}

function imports(source: { path: string; text: string }): string[] {
  return [...source.text.matchAll(/from "(\.[^"]+)"/g)].map((match) =>
    join(source.path, "..", match[1] ?? ""),
  );
}

test("parts know only what is below them, and pages not one another", () => {
  const allowed: Record<string, string[]> = {
    lib: ["api"],
    jsx: ["lib"],
    api: [],
    components: ["lib", "api"],
    "features/login": ["features/shell"],
    "features/shell": ["features/login"],
  };
  let seen = 0;
  for (const source of sources) {
    const from = part(source.path);
    if (from === "") continue; // main.tsx and routes.tsx put it together
    for (const target of imports(source)) {
      const to = part(target);
      if (to === from || to === "") continue;
      ++seen;
      const may = from.startsWith("features/") ? ["lib", "api", "components", ...(allowed[from] ?? [])] : allowed[from];
      expect(may, `${source.path} imports ${target}`).toContain(to);
    }
  }
  expect(seen).toBeGreaterThan(50);
});

test.each([
  ["await fetch(", ["api/client.ts", "api/session.ts"]],
  ["Authorization", []],
  ["csrf", ["api/session.ts"]],
  ["refetchInterval", ["api/live.ts"]],
  ["localStorage", ["lib/keys.ts", "lib/theme.ts", "lib/views.ts"]],
  ["sessionStorage", ["lib/draft.ts"]],
  ["overflow-x-auto", []],
  // Each choice is an entry of the history; only what is typed stands in the place of what was typed before it.
  ["replace:", ["features/tasks/filters.tsx"]],
  ["innerHTML", []],
  // Text comes into the page by src/jsx, which shows what nobody would see of it.
  ["createElement(", ["components/copy.tsx", "lib/save.ts"]],
  ["jsx-runtime", ["jsx/jsx-dev-runtime.ts", "jsx/jsx-runtime.ts"]],
  ["jsxImportSource", []],
  ["textContent", []],
  ["innerText", []],
  ["document.title", ["lib/title.ts"]],
  ["<style", []],
])("%s stands in its own place only", (words, places) => {
  // What is made of the description has its words and does nothing.
  const written = sources.filter((source) => source.path !== "api/openapi.ts");
  const found = written.filter((source) => source.text.includes(words)).map((source) => source.path);
  expect(found.sort()).toEqual([...places].sort());
});
