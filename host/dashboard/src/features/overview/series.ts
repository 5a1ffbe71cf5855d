import type { Outcome, Series } from "../../api/schema";
import { count, counted, usd, words } from "../../lib/format";

const wellEnded: readonly string[] = ["running", "completed", "put_off", "cancelled", "interrupted"] satisfies Outcome[];

export interface SeriesColumn {
  key: string;
  value: number;
  bad: number; // how much of it went wrong
  title: string;
}

// "2026-03-01", or "2026-03-01 14:00"; both of UTC, as the sums are.
function bucketName(at: string, bucket: Series["bucket"]): string {
  return bucket === "day" ? at.slice(0, 10) : `${at.slice(0, 10)} ${at.slice(11, 16)}`;
}

export function valueText(metric: Series["metric"], value: number): string {
  if (metric === "cost") return usd(value);
  return counted(value, metric === "tasks" ? "task" : "execution");
}

// A column for each hour or day, also for those in which nothing ran.
export function seriesColumns(series: Series): SeriesColumn[] {
  return series.points.map((point) => {
    const outcomes = Object.entries(point.outcomes ?? {});
    const parts = outcomes.map(([outcome, number]) => `${count(number)} ${words(outcome)}`);
    return {
      key: point.at,
      value: point.value ?? 0,
      bad: outcomes.reduce((sum, [outcome, number]) => sum + (wellEnded.includes(outcome) ? 0 : number), 0),
      title: `${bucketName(point.at, series.bucket)}: ${valueText(series.metric, point.value ?? 0)}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`,
    };
  });
}

export function seriesSum(series: Series): number {
  return series.points.reduce((sum, point) => sum + (point.value ?? 0), 0);
}

// Where it begins and where it ends.
export function seriesEnds(series: Series): [string, string] {
  const name = (at: string | undefined): string => (at === undefined ? "" : bucketName(at, series.bucket));
  return [name(series.points[0]?.at), name(series.points.at(-1)?.at)];
}
