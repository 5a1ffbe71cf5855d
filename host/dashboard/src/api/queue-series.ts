// The queue over time, carried on by what the stream tells: while that is up nothing of it is asked for again.
import type { Overview, QueueBucket, QueueCounts, QueueSeries } from "./schema";

export const bucketLength: Record<QueueBucket, number> = {
  minute: 60_000,
  ten_minutes: 600_000,
  hour: 3_600_000,
  day: 86_400_000,
};

// Up to the bucket in which `now` is, with as many points as before: what nobody tells otherwise is as it was.
export function carriedOn(series: QueueSeries, now: number): QueueSeries {
  const newest = series.points.at(-1);
  const length = bucketLength[series.bucket];
  if (!newest || Date.parse(newest.at) + length > now) return series;
  const present = Math.floor(now / length) * length;
  const oldest = present - (series.points.length - 1) * length;
  const points = series.points.filter((point) => Date.parse(point.at) >= oldest);
  for (let at = Math.max(Date.parse(newest.at) + length, oldest); at <= present; at += length)
    points.push({ at: new Date(at).toISOString(), gap: false, last: newest.last, highest: newest.last });
  const date = (at: number): string => new Date(at).toISOString();
  return { ...series, start_date: date(oldest), end_date: date(present + length), points };
}

// These are the counts now. Of what is not among them (an agent's own, deferred deliveries) nothing is told.
export function withCounts(series: QueueSeries, counts: Overview["queue"], now: number): QueueSeries {
  if (series.agent !== null) return series;
  const carried = carriedOn(series, now);
  const newest = carried.points.at(-1);
  if (!newest) return series;
  const { queued, running, awaiting_approval } = counts;
  const last: QueueCounts = { queued, running, awaiting_approval, deferred_deliveries: newest.last?.deferred_deliveries ?? 0 };
  const highest = newest.highest ? highestOf(newest.highest, last) : last;
  return { ...carried, points: [...carried.points.slice(0, -1), { ...newest, last, highest }] };
}

export function highestOf(one: QueueCounts, other: QueueCounts): QueueCounts {
  return {
    queued: Math.max(one.queued, other.queued),
    running: Math.max(one.running, other.running),
    awaiting_approval: Math.max(one.awaiting_approval, other.awaiting_approval),
    deferred_deliveries: Math.max(one.deferred_deliveries, other.deferred_deliveries),
  };
}
