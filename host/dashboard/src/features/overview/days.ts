import type { Costs } from "../../api/schema";
import { usd } from "../../lib/format";

const day = 86_400_000;

// A column for each day of the period, also for those on which nothing was spent.
export function dayColumns(costs: Costs): { key: string; value: number; title: string }[] {
  const spent = new Map(costs.costs.map((line) => [line.group, line.total_cost_usd]));
  const first = Date.parse(costs.start_date.slice(0, 10));
  const columns = [];
  for (let at = first; at < Date.parse(costs.end_date); at += day) {
    const key = new Date(at).toISOString().slice(0, 10);
    const value = spent.get(key) ?? 0;
    columns.push({ key, value, title: `${key}: ${usd(value)}` });
  }
  return columns;
}
