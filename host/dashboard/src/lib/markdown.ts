// Markdown as a tree of plain values. It knows the part of it that plans are written in; everything else, HTML above all,
// stays the text it is. Nothing of the text is left out, so that who approves a page has seen all of it.

export type Inline =
  | { kind: "text" | "code"; text: string }
  | { kind: "strong" | "em"; children: Inline[] }
  | { kind: "link"; url: string; children: Inline[] };

export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; start: number | null; items: Block[][] } // null: with dots
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

const deepest = 8; // blocks in blocks, and marks in marks
const longestMark = 2_000; // characters between a mark and its end

// A line may be as long as a text is: none of these goes over it twice. What follows a mark is cut off and trimmed, since two parts of an
// expression that may both take the same blanks try each way to share them out.
const fenceMark = /^ {0,3}(`{3,}|~{3,})/;
const headingMark = /^ {0,3}(#{1,6})(?=\s)/;
const itemMark = /^( {0,3})([-*+]|\d{1,9}[.)])(?=\s|$)/;
const quoteMark = /^ {0,3}> ?/;
const ruleMark = /^ {0,3}[-*_]/;
const tableRuleCell = /^:?-+:?$/;

const isBlank = (line: string): boolean => line.trim() === "";

function fenceOf(line: string): { mark: string; language: string } | null {
  const found = fenceMark.exec(line);
  const rest = line.slice(found?.[0].length ?? 0);
  if (!found || rest.includes("`")) return null;
  return { mark: found[1] ?? "", language: /^\S*/.exec(rest.trimStart())?.[0] ?? "" };
}

function headingOf(line: string): { level: number; text: string } | null {
  const found = headingMark.exec(line);
  if (!found) return null;
  const text = line.slice(found[0].length).trim();
  let end = text.length;
  while (text[end - 1] === "#") --end;
  const isClosed = end > 0 && isBlank(text[end - 1] ?? "");
  return { level: found[1]?.length ?? 1, text: isClosed ? text.slice(0, end).trimEnd() : text };
}

function itemOf(line: string): { indent: number; mark: string; text: string } | null {
  const found = itemMark.exec(line);
  if (!found) return null;
  return { indent: found[1]?.length ?? 0, mark: found[2] ?? "", text: line.slice(found[0].length).trimStart() };
}

function quoteOf(line: string | undefined): string | null {
  const found = quoteMark.exec(line ?? "");
  return found ? (line ?? "").slice(found[0].length) : null;
}

// Three or more of one sign, and nothing else.
function isRule(line: string): boolean {
  if (!ruleMark.test(line)) return false;
  const signs = line.trim();
  let count = 0;
  for (const each of signs) {
    if (each === signs[0]) ++count;
    else if (!isBlank(each)) return false;
  }
  return count >= 3;
}

function cellsOf(line: string): string[] {
  const cells = line.trim();
  const from = cells.startsWith("|") ? 1 : 0;
  return cells.slice(from, cells.length > from && cells.endsWith("|") ? -1 : undefined).split("|").map((cell) => cell.trim());
}

const isTableRule = (line: string): boolean => cellsOf(line).every((cell) => tableRuleCell.test(cell));

export function parseMarkdown(text: string): Block[] {
  return blocks(text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n"), 0);
}

function blocks(lines: string[], depth: number): Block[] {
  const found: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (isBlank(line)) {
      ++at;
      continue;
    }
    const taken = depth < deepest ? block(lines, at, depth) : null;
    if (taken) {
      found.push(taken.block);
      at = taken.next;
      continue;
    }
    const from = at++;
    while (at < lines.length && !isBlank(lines[at] ?? "") && (depth >= deepest || !beginsBlock(lines, at))) ++at;
    found.push({ kind: "paragraph", children: inlines(lines.slice(from, at).map((each) => each.trim()).join("\n")) });
  }
  return found;
}

function beginsBlock(lines: string[], at: number): boolean {
  const line = lines[at] ?? "";
  return fenceOf(line) !== null || headingMark.test(line) || isRule(line) || quoteMark.test(line) || itemMark.test(line);
}

type Taken = { block: Block; next: number };

function block(lines: string[], at: number, depth: number): Taken | null {
  const line = lines[at] ?? "";
  const opened = fenceOf(line);
  if (opened) return codeBlock(lines, at, opened.mark, opened.language);
  const head = headingOf(line);
  if (head) return { block: { kind: "heading", level: head.level, children: inlines(head.text) }, next: at + 1 };
  if (isRule(line)) return { block: { kind: "rule" }, next: at + 1 };
  if (quoteMark.test(line)) {
    let next = at;
    const inner: string[] = [];
    for (let said = quoteOf(line); said !== null; said = quoteOf(lines[++next])) inner.push(said);
    return { block: { kind: "quote", blocks: blocks(inner, depth + 1) }, next };
  }
  if (itemMark.test(line)) return list(lines, at, depth);
  if (line.includes("|") && isTableRule(lines[at + 1] ?? "")) return table(lines, at);
  return null;
}

function codeBlock(lines: string[], at: number, mark: string, language: string): Taken {
  const inner: string[] = [];
  let next = at + 1;
  for (; next < lines.length; ++next) {
    const line = lines[next] ?? "";
    const end = line.trim();
    if (end.length >= mark.length && end === (mark[0] ?? "").repeat(end.length) && !line.startsWith("    ")) break;
    inner.push(line);
  }
  return { block: { kind: "code", language, text: inner.join("\n") }, next: next + 1 };
}

function list(lines: string[], at: number, depth: number): Taken {
  const first = itemOf(lines[at] ?? "")?.mark ?? "";
  const isNumbered = /\d/.test(first);
  const items: string[][] = [];
  let inner = 0; // how far what belongs to the item is moved in
  let next = at;
  for (; next < lines.length; ++next) {
    const line = lines[next] ?? "";
    const moved = line.length - line.trimStart().length;
    const begins = itemOf(line);
    if (begins && (items.length === 0 || moved < inner)) {
      if (/\d/.test(begins.mark) !== isNumbered || isRule(line)) break;
      inner = begins.indent + begins.mark.length + 1;
      items.push([begins.text]);
    } else if (isBlank(line)) {
      // One that is followed by something that does not belong to it ends the list.
      const after = lines[next + 1] ?? "";
      const goesOn = after.length - after.trimStart().length >= inner || (itemMark.test(after) && !isRule(after));
      if (isBlank(after) || !goesOn) break;
      items.at(-1)?.push("");
    } else if (moved >= inner) {
      items.at(-1)?.push(line.slice(inner));
    } else if (isBlank(lines[next - 1] ?? "") || beginsBlock(lines, next)) {
      break;
    } else {
      items.at(-1)?.push(line.trim());
    }
  }
  const start = isNumbered ? Number.parseInt(first, 10) : null;
  return { block: { kind: "list", start, items: items.map((each) => blocks(each, depth + 1)) }, next };
}

function table(lines: string[], at: number): Taken {
  const cells = (line: string): Inline[][] => cellsOf(line).map((cell) => inlines(cell));
  const head = cells(lines[at] ?? "");
  const rows: Inline[][][] = [];
  let next = at + 2;
  for (; next < lines.length && !isBlank(lines[next] ?? "") && (lines[next] ?? "").includes("|"); ++next)
    rows.push(cells(lines[next] ?? ""));
  return { block: { kind: "table", head, rows }, next };
}

const marks = /[`*_[\\<h]/g;

export function inlines(text: string, depth = 0): Inline[] {
  const found: Inline[] = [];
  let plain = "";
  const add = (inline: Inline, next: number): number => {
    if (plain !== "") found.push({ kind: "text", text: plain });
    plain = "";
    found.push(inline);
    return next;
  };
  const endless: Endless = new Map();
  let at = 0;
  while (at < text.length) {
    marks.lastIndex = at;
    const mark = depth < deepest ? marks.exec(text) : null;
    if (!mark) break;
    plain += text.slice(at, mark.index);
    at = mark.index;
    const taken = inlineAt(text, at, depth, endless);
    if (taken) {
      at = add(taken.inline, taken.next);
    } else if (text[at] === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1] ?? "";
      at += 2;
    } else {
      plain += text[at] ?? "";
      ++at;
    }
  }
  plain += text.slice(at);
  if (plain !== "") found.push({ kind: "text", text: plain });
  return found;
}

type TakenInline = { inline: Inline; next: number };

// For a mark, where it may end at the earliest: what was searched in vain is not searched again for the next one.
type Endless = Map<string, number>;

function inlineAt(text: string, at: number, depth: number, endless: Endless): TakenInline | null {
  switch (text[at]) {
    case "`":
      return codeAt(text, at);
    case "*":
    case "_":
      return emphasisAt(text, at, depth, endless);
    case "[":
      return linkAt(text, at, depth);
    case "<": {
      const end = text.slice(at, at + longestMark).indexOf(">");
      const url = text.slice(at + 1, at + Math.max(end, 1));
      return end > 0 && /^https?:\/\/[^\s<]+$/.test(url)
        ? { inline: { kind: "link", url, children: [{ kind: "text", text: url }] }, next: at + end + 1 }
        : null;
    }
    case "h": {
      if (/\w/.test(text[at - 1] ?? "")) return null;
      const url = /^https?:\/\/[^\s<>"'`)\]}|]+[^\s<>"'`)\]}|.,:;!?*_]/.exec(text.slice(at, at + longestMark))?.[0];
      return url ? { inline: { kind: "link", url, children: [{ kind: "text", text: url }] }, next: at + url.length } : null;
    }
    default:
      return null;
  }
}

function codeAt(text: string, at: number): TakenInline | null {
  let ticks = 1;
  while (text[at + ticks] === "`") ++ticks;
  const mark = "`".repeat(ticks);
  for (let end = text.indexOf(mark, at + ticks); end >= 0 && end - at < longestMark; end = text.indexOf(mark, end)) {
    let count = ticks;
    while (text[end + count] === "`") ++count;
    if (count === ticks) {
      const inner = text.slice(at + ticks, end).replaceAll("\n", " ");
      const padded = inner.length > 2 && inner.startsWith(" ") && inner.endsWith(" ");
      return { inline: { kind: "code", text: padded ? inner.slice(1, -1) : inner }, next: end + ticks };
    }
    end += count;
  }
  // All of them are text: one of them alone must not open code that the others did not.
  return { inline: { kind: "text", text: mark }, next: at + ticks };
}

function emphasisAt(text: string, at: number, depth: number, endless: Endless): TakenInline | null {
  const sign = text[at] ?? "";
  const size = text[at + 1] === sign ? 2 : 1;
  const mark = sign.repeat(size);
  const first = text[at + size] ?? " ";
  if (/\s/.test(first) || first === sign) return null;
  // Names such as file_name_test have underscores in their midst.
  if (sign === "_" && /\w/.test(text[at - 1] ?? "")) return null;
  const from = Math.max(at + size, endless.get(mark) ?? 0);
  for (let end = text.indexOf(mark, from); end >= 0 && end - at < longestMark; end = text.indexOf(mark, end + 1)) {
    endless.set(mark, end + 1);
    if (/\s/.test(text[end - 1] ?? " ") || text[end - 1] === "\\" || text[end - 1] === sign) continue;
    if (text[end + size] === sign || (sign === "_" && /\w/.test(text[end + size] ?? ""))) continue;
    const children = inlines(text.slice(at + size, end), depth + 1);
    return { inline: { kind: size === 2 ? "strong" : "em", children }, next: end + size };
  }
  return null;
}

// "[words](address "title")". An address that is none of the web stays text, brackets and all.
function linkAt(text: string, at: number, depth: number): TakenInline | null {
  const rest = text.slice(at, at + longestMark);
  const found = /^\[((?:[^[\]\\]|\\.)*)\]\(\s*<?(https?:\/\/[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"([^"]*)")?\s*\)/.exec(rest);
  if (!found) return null;
  const [all, words, url, title] = found;
  const children = inlines(words ?? "", depth + 1);
  if (title) children.push({ kind: "text", text: ` “${title}”` });
  return { inline: { kind: "link", url: url ?? "", children }, next: at + all.length };
}
