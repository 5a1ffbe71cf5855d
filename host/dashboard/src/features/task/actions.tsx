// What a person can do with a task.
import { useState } from "react";
import type { TaskDetail, TaskStatus } from "../../api/schema";
import { useMayAct, useName } from "../../api/session";
import { type Act, ActDialog, actWords, begunAct } from "../../components/act-dialog";
import { Button } from "../../components/button";
import { useShortcuts } from "../../lib/keys";

const possible: Record<TaskStatus, Act[]> = {
  queued: ["cancel"],
  running: ["cancel"],
  awaiting_approval: ["approve", "reject", "cancel"],
  completed: [],
  failed: ["retry"],
  cancelled: ["retry"],
  parked: ["retry", "cancel"],
};

export function TaskActions({ task }: { task: TaskDetail }) {
  const acts = useMayAct() ? possible[task.status] : [];
  const name = useName();
  const [asking, setAsking] = useState<Act | null>(() => begunAct(name, task.task_id, acts));
  useShortcuts(acts.includes("approve") ? { a: () => setAsking("approve"), r: () => setAsking("reject") } : {});
  return (
    <>
      {acts.map((act) => (
        <Button
          key={act}
          icon={actWords[act].icon}
          look={act === "approve" ? "main" : act === "reject" ? "danger" : "plain"}
          onClick={() => setAsking(act)}
        >
          {actWords[act].button}
        </Button>
      ))}
      {asking && (
        <ActDialog task={task} contentHash={task.approval?.content_hash} act={asking} onClose={() => setAsking(null)} />
      )}
    </>
  );
}
