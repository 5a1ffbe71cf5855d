import type { Task } from "../../api/schema";

const mostLooked = 50; // rows; more do not leave a list at a time but by another filter

// By how many rows the row that was the first to be seen stands further down now, or the next one below it that is still there.
export function movedBy(before: readonly Task[], now: readonly Task[], first: number): number {
  for (const [below, task] of before.slice(first, first + mostLooked).entries()) {
    const at = first + below;
    if (now[at]?.task_id === task.task_id) return 0;
    const found = now.findIndex((each) => each.task_id === task.task_id);
    if (found >= 0) return found - at;
  }
  return 0;
}
