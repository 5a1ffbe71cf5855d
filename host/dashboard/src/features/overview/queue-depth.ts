// What the chart of the queue shows, as lines in a box: its width is the time, its height the number of tasks.
import { bucketLength, highestOf } from "../../api/queue-series";
import type { QueueBucket, QueueCounts, QueueSeries } from "../../api/schema";
import { exact } from "../../lib/format";

export const queueStates = ["queued", "running", "awaiting_approval"] as const;
export type QueueState = (typeof queueStates)[number];

export const spans = ["hour", "day", "week"] as const;
export type Span = (typeof spans)[number];
export const bucketOf: Record<Span, QueueBucket> = { hour: "minute", day: "ten_minutes", week: "hour" };
const bucketName: Record<QueueBucket, string> = { minute: "minute", ten_minutes: "ten minutes", hour: "hour", day: "day" };

export const box = { width: 100, height: 30 };

// From then on, until the next one, these were the numbers; null: nobody knows them.
export interface Stretch {
  from: number;
  highest: QueueCounts | null;
  begins: boolean; // what was before it does not lead to it
}

export interface QueueChart {
  top: number; // at the upper edge
  paths: Record<QueueState, string>;
  gaps: { key: string; x: number; width: number }[];
  columns: { key: string; x: number; width: number; title: string }[]; // what to point at
  highest: QueueCounts | null; // of all that is shown
  stretches: Stretch[]; // the same as a table; neighbours that are alike are one
}

// Some more than there is, and even, so that the middle is a number of tasks, too.
export function topOf(most: number): number {
  for (let ten = 1; ; ten *= 10) for (const step of [2, 4, 6, 10]) if (step * ten >= most) return step * ten;
}

function time(at: number): string {
  return exact(new Date(at).toISOString());
}

export function stateText(counts: QueueCounts): string {
  return `${counts.queued} queued, ${counts.running} running, ${counts.awaiting_approval} waiting for approval`;
}

// Until `until`: what comes later is not there yet. `now` is what is there then, if that is known.
export function queueChart(series: QueueSeries, until: number, now: QueueCounts | null): QueueChart {
  const length = bucketLength[series.bucket];
  const start = Date.parse(series.points[0]?.at ?? series.start_date);
  const span = Math.max(series.points.length, 1) * length;
  const x = (at: number): number => (Math.min(Math.max(at - start, 0), span) / span) * box.width;
  const highest = series.points.reduce<QueueCounts | null>(
    (most, point) => (point.highest ? (most ? highestOf(most, point.highest) : point.highest) : most),
    now,
  );
  const top = topOf(Math.max(...queueStates.map((state) => highest?.[state] ?? 0)));
  const y = (value: number): number => box.height * (1 - value / top);

  const chart: QueueChart = {
    top,
    paths: { queued: "", running: "", awaiting_approval: "" },
    gaps: [],
    columns: [],
    highest,
    stretches: [],
  };
  let drawn = false; // up to where the next one begins
  for (const point of series.points) {
    const from = Date.parse(point.at);
    const to = Math.min(from + length, Math.max(until, from));
    const place = { key: point.at, x: x(from), width: x(from + length) - x(from) };
    const told = `${time(from)}: ${point.highest ? `at most ${stateText(point.highest)}` : "nobody knows"}`;
    chart.columns.push({ ...place, title: point.gap ? `${told} (davit did not run all of this time, or was started)` : told });
    if (point.gap) chart.gaps.push(place);
    const before = chart.stretches.at(-1);
    if (!before || !same(before.highest, point.highest) || (point.gap && point.highest))
      chart.stretches.push({ from, highest: point.highest, begins: point.gap });
    for (const state of queueStates) {
      if (!point.highest) continue;
      const height = y(point.highest[state]).toFixed(2);
      chart.paths[state] += drawn && !point.gap ? `V${height}` : `M${x(from).toFixed(2)} ${height}`;
      chart.paths[state] += `H${x(to).toFixed(2)}`;
    }
    drawn = point.highest !== null;
  }
  if (now && drawn) for (const state of queueStates) chart.paths[state] += `V${y(now[state]).toFixed(2)}`;
  return chart;
}

function same(one: QueueCounts | null, other: QueueCounts | null): boolean {
  if (!one || !other) return one === other;
  return queueStates.every((state) => one[state] === other[state]);
}

// All of it in words, for who does not see it.
export function summaryOf(series: QueueSeries, chart: QueueChart, now: QueueCounts | null): string {
  const each = bucketName[series.bucket];
  const text = [`The queue in each ${each}`];
  if (chart.highest) text.push(`at most ${stateText(chart.highest)}`);
  if (now) text.push(`now ${stateText(now)}`);
  if (chart.gaps.length > 0) text.push("with gaps");
  return text.join(", ");
}
