import { expect, test } from "vitest";
import { type DiffLine, diffLines, folded } from "./diff";

const short = (lines: DiffLine[]): string => lines.map((line) => ({ same: " ", added: "+", removed: "-" })[line.kind] + line.text).join("|");

test.each([
  ["a\nb\nc", "a\nb\nc", " a| b| c"],
  ["a\nb\nc", "a\nx\nc", " a|-b|+x| c"],
  ["a\nb", "a\nb\nc\nd", " a| b|+c|+d"],
  ["a\nb\nc\nd", "b\nd", "-a| b|-c| d"],
  ["", "a", "-|+a"],
])("from %j to %j it is %j", (before, after, lines) => {
  expect(short(diffLines(before, after))).toBe(lines);
});

test("both texts can be read back from it, whatever they are", () => {
  let seed = 7;
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 200; ++round) {
    const text = (): string => Array.from({ length: next() % 12 }, () => "abc"[next() % 3]).join("\n");
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const without = (kind: string): string =>
      lines
        .filter((line) => line.kind !== kind)
        .map((line) => line.text)
        .join("\n");
    expect([without("added"), without("removed")]).toEqual([before, after]);
  }
});

test("two large texts that have nothing in common are told as a whole", () => {
  const large = (word: string): string => Array.from({ length: 3_000 }, (_, index) => `${word} ${index}`).join("\n");
  const lines = diffLines(large("a"), large("b"));
  expect([lines.length, lines[0]?.kind, lines.at(-1)?.kind]).toEqual([6_000, "removed", "added"]);
});

test("what is far from any change is folded", () => {
  const before = Array.from({ length: 20 }, (_, index) => String(index)).join("\n");
  const parts = folded(diffLines(before, before.replace("10", "ten")), 2);
  expect(parts.map((part) => ("text" in part ? part.text : part.count))).toEqual([8, "8", "9", "10", "ten", "11", "12", 7]);
});
