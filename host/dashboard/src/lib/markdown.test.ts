import { describe, expect, test } from "vitest";
import { type Block, type Inline, inlines, parseMarkdown } from "./markdown";

function plain(inline: Inline): string {
  return "text" in inline ? inline.text : inline.children.map(plain).join("");
}

const text = (words: string): Inline => ({ kind: "text", text: words });
const paragraph = (words: string): Block => ({ kind: "paragraph", children: [text(words)] });

describe("blocks", () => {
  test("are headings, paragraphs, rules, quotes and code", () => {
    expect(parseMarkdown("# Plan #\n\nOne\nline\n\n---\n> said\n> so\n\n```cpp\nint a; // # no heading\n```\nend")).toEqual([
      { kind: "heading", level: 1, children: [text("Plan")] },
      paragraph("One\nline"),
      { kind: "rule" },
      { kind: "quote", blocks: [paragraph("said\nso")] },
      { kind: "code", language: "cpp", text: "int a; // # no heading" },
      paragraph("end"),
    ]);
  });

  test("are lists, in one another too, each with its number", () => {
    expect(parseMarkdown("3. Read\n   - Why: `a`\n   - Files\n4. Change\n\n- other")).toEqual([
      {
        kind: "list",
        start: 3,
        items: [
          [
            paragraph("Read"),
            {
              kind: "list",
              start: null,
              items: [
                [{ kind: "paragraph", children: [text("Why: "), { kind: "code", text: "a" }] }],
                [paragraph("Files")],
              ],
            },
          ],
          [paragraph("Change")],
        ],
      },
      { kind: "list", start: null, items: [[paragraph("other")]] },
    ]);
  });

  test("a list may have blank lines and lines that go on", () => {
    expect(parseMarkdown("- one\ngoes on\n\n- two\n\n  more of two\n\nafter")).toEqual([
      {
        kind: "list",
        start: null,
        items: [[paragraph("one\ngoes on")], [paragraph("two"), paragraph("more of two")]],
      },
      paragraph("after"),
    ]);
  });

  test("are tables", () => {
    expect(parseMarkdown("| a | b |\n|---|:-:|\n| 1 | **2** |\nend")).toEqual([
      {
        kind: "table",
        head: [[text("a")], [text("b")]],
        rows: [[[text("1")], [{ kind: "strong", children: [text("2")] }]]],
      },
      paragraph("end"),
    ]);
  });

  test("code whose end is missing goes to the end", () => {
    expect(parseMarkdown("```\na\n\nb")).toEqual([{ kind: "code", language: "", text: "a\n\nb" }]);
  });
});

describe("marks", () => {
  test("are strong, stressed, code and links", () => {
    expect(inlines("**a** *b* `` c`d `` [e](https://e.example/f \"g\") <https://h.example>")).toEqual([
      { kind: "strong", children: [text("a")] },
      text(" "),
      { kind: "em", children: [text("b")] },
      text(" "),
      { kind: "code", text: "c`d" },
      text(" "),
      { kind: "link", url: "https://e.example/f", children: [text("e"), text(" “g”")] },
      text(" "),
      { kind: "link", url: "https://h.example", children: [text("https://h.example")] },
    ]);
  });

  test("an address in a sentence ends before the sentence does", () => {
    expect(inlines("See https://a.example/b?c=1. Or not")).toEqual([
      text("See "),
      { kind: "link", url: "https://a.example/b?c=1", children: [text("https://a.example/b?c=1")] },
      text(". Or not"),
    ]);
  });

  test.each([
    "file_name_test and a * b * c",
    "<script>window.broken = 1</script>",
    "[x](javascript:alert(1))",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "a ` b",
    "**never ended",
    "<!-- hidden -->",
    "&lt;b&gt; {{7*7}}",
  ])("%s is text and nothing else", (words) => {
    expect(inlines(words).map(plain).join("")).toBe(words);
    expect(inlines(words).every((inline) => inline.kind === "text")).toBe(true);
  });

  test("a backslash takes the meaning of a sign away", () => {
    expect(inlines("\\*a\\* \\[b\\](c) \\d")).toEqual([text("*a* [b](c) \\d")]);
  });
});

test("nothing that nests or never ends takes long or breaks it", () => {
  for (const hostile of ["> ".repeat(20_000), "- ".repeat(20_000), "*".repeat(50_000), "[".repeat(50_000), "`".repeat(49_999) + " `", "*a _b ".repeat(8_000)])
    expect(parseMarkdown(hostile).length).toBeGreaterThan(0);
});

describe("one long line costs as much as it is long", () => {
  const long = 300_000; // going over it once for each of its signs would take minutes
  const blanks = " ".repeat(long);
  const limit = 20_000;
  const kinds = (text: string): string[] => parseMarkdown(text).map((each) => each.kind);

  test.each([
    ["a heading", `# a${blanks}b`, ["heading"]],
    ["a heading that looks closed", `# a${" #".repeat(long / 2)}b`, ["heading"]],
    ["a heading of signs", `# ${"#".repeat(long)}b`, ["heading"]],
    ["a fence that is none", `\`\`\`${blanks}\``, ["paragraph"]],
    ["a fence of ticks that is none", `${"`".repeat(long)} \``, ["paragraph"]],
    ["a fence", `~~~${blanks}a${blanks}b`, ["code"]],
    ["an item", `- ${blanks}a\u2028b`, ["list"]],
    ["an item of a number", `1. ${blanks}a\u2028b`, ["list"]],
    ["a quote", `> ${blanks}a\u2028b`, ["quote"]],
    ["a rule", `*${blanks}*${blanks}*`, ["rule"]],
    ["a rule that is none", `_ ${"_ ".repeat(long / 2)}a`, ["paragraph"]],
    ["a table", `|a|\n|-${blanks}|${blanks}`, ["table"]],
    ["a table that is none", `|a|\n|:-${blanks}-`, ["paragraph"]],
    ["a table of dashes that is none", `|a|\n|${"-".repeat(long)}x`, ["paragraph"]],
    ["a table of many cells that is none", `|a|\n${"|-".repeat(long / 2)}x`, ["paragraph"]],
    ["blanks", `a${blanks}b`, ["paragraph"]],
  ])("%s", (_, text, expected) => expect(kinds(text)).toEqual(expected), limit);

  test.each(["[a](https://e.example/", "<", "https://.", "[](", "**a*", "`a``", "h ", "\\", "*a_b"])(
    "marks without an end: %s",
    (mark) => expect(kinds(mark.repeat(long / mark.length))).toEqual(["paragraph"]),
    limit,
  );
});

test("a heading ends with signs that close it only behind a blank", () => {
  expect(["# a ##", "# a#", "# a # b", "# ##", "#   ", "#a"].map((line) => parseMarkdown(line).map((block) => ("children" in block ? [block.kind, block.children.map(plain).join("")] : [])))).toEqual([
    [["heading", "a"]],
    [["heading", "a#"]],
    [["heading", "a # b"]],
    [["heading", "##"]],
    [["heading", ""]],
    [["paragraph", "#a"]],
  ]);
});
