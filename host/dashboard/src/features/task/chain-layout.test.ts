import { expect, test } from "vitest";
import type { ChainLink, TaskStatus } from "../../api/schema";
import { lay, rows } from "./chain-layout";

function link(task_id: string, parent_id: string | null, more: Partial<ChainLink> = {}): ChainLink {
  return { task_id, parent_id, needs_approval: false, status: "completed", ...more } as ChainLink;
}

test("children stand below their parents, in the order they came", () => {
  const shown = rows([link("a", null), link("b", "a"), link("c", "a"), link("d", "b")]);
  expect(shown.map((row) => [row.link.task_id, row.depth])).toEqual([
    ["a", 0],
    ["b", 1],
    ["d", 2],
    ["c", 1],
  ]);
});

test("a task whose parent was pruned is shown all the same", () => {
  expect(rows([link("b", "gone"), link("c", "b")]).map((row) => row.depth)).toEqual([0, 1]);
});

test("each task has a place of its own, in the middle above its children", () => {
  const layout = lay([link("a", null), link("b", "a"), link("c", "a"), link("d", "b"), link("e", null)]);
  expect(Object.fromEntries(layout.places.map((place) => [place.link.task_id, [place.column, place.row]]))).toEqual({
    a: [0.5, 0],
    b: [0, 1],
    c: [1, 1],
    d: [0, 2],
    e: [2, 0],
  });
  expect(layout.edges.map((edge) => edge.from.link.task_id + edge.to.link.task_id)).toEqual(["bd", "ab", "ac"]);
  expect([layout.columns, layout.rows]).toEqual([3, 3]);
});

test.each<[TaskStatus, string]>([
  ["awaiting_approval", "waits"],
  ["cancelled", "stopped"],
  ["running", "passed"],
])("a gate before a task that is %s %s", (status, gate) => {
  expect(lay([link("a", null, { needs_approval: true, status })]).places[0]?.gate).toBe(gate);
});

test("a chain as long as they are shown is laid", () => {
  const chain = Array.from({ length: 200 }, (_, index) => link(String(index), index === 0 ? null : String(index - 1)));
  expect(lay(chain)).toMatchObject({ columns: 1, rows: 200 });
});
