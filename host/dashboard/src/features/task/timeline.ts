// Executions on one line of time, in shares of it from 0 to 1.
import type { Execution } from "../../api/schema";

export interface Stretch {
  execution: Execution;
  waitedFrom: number; // since the task was made, or the execution before this one ended
  from: number;
  to: number;
  seconds: number; // until now where it still runs
}

export function timeline(executions: Execution[], createdAt: string, now: number): Stretch[] {
  if (executions.length === 0) return [];
  const start = Math.min(Date.parse(createdAt), ...executions.map((each) => Date.parse(each.started_at)));
  const ends = executions.map((each) =>
    each.completed_at === null ? Math.max(now, Date.parse(each.started_at)) : Date.parse(each.completed_at),
  );
  const length = Math.max(Math.max(...ends) - start, 1);
  const share = (time: number): number => Math.min(Math.max((time - start) / length, 0), 1);
  let free = start;
  return executions.map((execution, index) => {
    const began = Date.parse(execution.started_at);
    const end = ends[index] ?? began;
    const stretch = {
      execution,
      waitedFrom: share(Math.min(free, began)),
      from: share(began),
      to: share(end),
      seconds: execution.duration_seconds ?? Math.max(end - began, 0) / 1000,
    };
    free = end;
    return stretch;
  });
}
