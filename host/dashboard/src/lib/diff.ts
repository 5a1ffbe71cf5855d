// What has changed between two texts, line by line.

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
}

// Beyond so many pairs of lines, what differs is shown as taken away and put in as a whole.
const mostPairs = 4_000_000;

// The shortest way from `before` to `after` by whole lines; within a change, what was taken away comes first.
export function diffLines(before: string, after: string): DiffLine[] {
  const from = before.split("\n");
  const to = after.split("\n");
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) ++head;
  let tail = 0;
  while (tail < from.length - head && tail < to.length - head && from.at(-1 - tail) === to.at(-1 - tail)) ++tail;
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ kind: "same", text }));
  return [
    ...same(from.slice(0, head)),
    ...middle(from.slice(head, from.length - tail), to.slice(head, to.length - tail)),
    ...same(from.slice(from.length - tail)),
  ];
}

function middle(from: string[], to: string[]): DiffLine[] {
  const removed = from.map((text): DiffLine => ({ kind: "removed", text }));
  const added = to.map((text): DiffLine => ({ kind: "added", text }));
  if (from.length === 0 || to.length === 0 || from.length * to.length > mostPairs) return [...removed, ...added];
  // common[i][j]: the most lines that from[i…] and to[j…] have in common.
  const width = to.length + 1;
  const common = new Uint32Array((from.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = from.length - 1; i >= 0; --i)
    for (let j = to.length - 1; j >= 0; --j)
      common[i * width + j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      lines.push({ kind: "same", text: from[i] ?? "" });
      ++i;
      ++j;
    } else if (i < from.length && (j >= to.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: "removed", text: from[i++] ?? "" });
    } else {
      lines.push({ kind: "added", text: to[j++] ?? "" });
    }
  }
  return lines;
}

export type DiffPart = DiffLine | { kind: "gap"; count: number };

// Without what is the same and further than `around` lines from a change.
export function folded(lines: DiffLine[], around = 3): DiffPart[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, index) => {
    if (line.kind !== "same") near.fill(1, Math.max(index - around, 0), index + around + 1);
  });
  const parts: DiffPart[] = [];
  lines.forEach((line, index) => {
    const last = parts.at(-1);
    if (near[index] === 1) parts.push(line);
    else if (last?.kind === "gap") ++last.count;
    else parts.push({ kind: "gap", count: 1 });
  });
  return parts;
}
