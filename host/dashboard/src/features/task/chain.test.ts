import { expect, test } from "vitest";
import type { ChainLink } from "../../api/schema";
import { rows } from "./chain";

function link(task_id: string, parent_id: string | null): ChainLink {
  return { task_id, parent_id } as ChainLink;
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
