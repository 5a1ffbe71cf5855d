// Of a task that is queued for a time that still lies ahead: because it was made so, or is tried again then.
import type { Task } from "../api/schema";
import { useNow } from "../lib/now";
import { Time } from "./time";

type Queued = Pick<Task, "status" | "run_at" | "hold_reason">;

const soon = 5_000; // milliseconds; by so much may two clocks differ, and "runs just now" says nothing

// What is held back waits for more than its time.
export function useIsForLater(task: Queued): boolean {
  const now = useNow();
  return task.status === "queued" && task.hold_reason === null && Date.parse(task.run_at) > now + soon;
}

// "runs in 23 h"
export function RunsLater({ task }: { task: Queued }) {
  return (
    <>
      runs <Time iso={task.run_at} />
    </>
  );
}
