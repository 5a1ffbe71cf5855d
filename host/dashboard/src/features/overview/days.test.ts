import { expect, test } from "vitest";
import type { Costs } from "../../api/schema";
import { dayColumns } from "./days";

test("each day of the period has a column, also one without cost", () => {
  const columns = dayColumns({
    start_date: "2026-02-27T00:00:00.000Z",
    end_date: "2026-03-02T09:30:00.001Z",
    costs: [{ group: "2026-03-01", total_cost_usd: 1.5 }],
  } as Costs);
  expect(columns.map((column) => column.title)).toEqual([
    "2026-02-27: $0.00",
    "2026-02-28: $0.00",
    "2026-03-01: $1.50",
    "2026-03-02: $0.00",
  ]);
});
