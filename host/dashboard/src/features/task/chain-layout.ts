// Where the tasks of a chain stand when they are drawn: parents above their children, in shares of the boxes' size.
import type { ChainLink } from "../../api/schema";

// What stands between a task and its run where a person has to approve it.
export type Gate = "waits" | "passed" | "stopped";

export interface Place {
  link: ChainLink;
  column: number; // whole for leaves, in the middle of its children else
  row: number;
  gate: Gate | null;
}

export interface Layout {
  places: Place[];
  edges: { from: Place; to: Place }[];
  columns: number;
  rows: number;
}

function gateOf(link: ChainLink): Gate | null {
  if (!link.needs_approval) return null;
  return link.status === "awaiting_approval" ? "waits" : link.status === "cancelled" ? "stopped" : "passed";
}

// Parents before their children, each with how far below the first it stands. One whose parent is not there stands
// as a first one.
export function rows(chain: ChainLink[]): { link: ChainLink; depth: number }[] {
  const ordered: { link: ChainLink; depth: number }[] = [];
  walk(chain, (link, depth) => ordered.push({ link, depth }));
  return ordered;
}

function walk(chain: ChainLink[], enter: (link: ChainLink, depth: number) => void, leave?: (link: ChainLink, children: ChainLink[]) => void): void {
  const known = new Set(chain.map((link) => link.task_id));
  const children = new Map<string | null, ChainLink[]>();
  for (const link of chain) {
    const parent = link.parent_id !== null && known.has(link.parent_id) ? link.parent_id : null;
    const all = children.get(parent);
    if (all) all.push(link);
    else children.set(parent, [link]);
  }
  const visit = (parent: string | null, depth: number): void => {
    for (const link of children.get(parent) ?? []) {
      enter(link, depth);
      visit(link.task_id, depth + 1);
      leave?.(link, children.get(link.task_id) ?? []);
    }
  };
  visit(null, 0);
}

export function lay(chain: ChainLink[]): Layout {
  const places = new Map<string, Place>();
  const edges: Layout["edges"] = [];
  let columns = 0;
  walk(
    chain,
    (link, depth) => places.set(link.task_id, { link, row: depth, column: 0, gate: gateOf(link) }),
    (link, children) => {
      const own = places.get(link.task_id);
      if (!own) return;
      const below = children.flatMap((child) => places.get(child.task_id) ?? []);
      own.column = below.length === 0 ? columns++ : ((below[0]?.column ?? 0) + (below.at(-1)?.column ?? 0)) / 2;
      for (const child of below) edges.push({ from: own, to: child });
    },
  );
  const all = [...places.values()];
  return { places: all, edges, columns, rows: Math.max(0, ...all.map((place) => place.row + 1)) };
}
