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
