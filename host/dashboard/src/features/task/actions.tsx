// What a person can do with a task. The server decides whether it may be done; its sentence is shown where it says no.
import { useState } from "react";
import { useAct } from "../../api/queries";
import type { TaskDetail, TaskStatus } from "../../api/schema";
import { useMayAct } from "../../api/session";
import { Button } from "../../components/button";
import { Dialog } from "../../components/dialog";
import { notify } from "../../components/notices";
import { useShortcuts } from "../../lib/keys";

type Act = "approve" | "reject" | "retry" | "cancel";

const words: Record<Act, { button: string; title: string; done: string; icon: "check" | "cross" | "retry" | "close" }> = {
  approve: { button: "Approve", title: "Approve this task?", done: "Approved.", icon: "check" },
  reject: { button: "Reject", title: "Reject this task?", done: "Rejected.", icon: "cross" },
  retry: { button: "Retry", title: "Run it once more?", done: "Queued again.", icon: "retry" },
  cancel: { button: "Cancel", title: "Cancel this task?", done: "Cancelled.", icon: "close" },
};

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
  const [asking, setAsking] = useState<Act | null>(null);
  const acts = useMayAct() ? possible[task.status] : [];
  useShortcuts(acts.includes("approve") ? { a: () => setAsking("approve") } : {});
  return (
    <>
      {acts.map((act) => (
        <Button
          key={act}
          icon={words[act].icon}
          look={act === "approve" ? "main" : act === "reject" ? "danger" : "plain"}
          onClick={() => setAsking(act)}
        >
          {words[act].button}
        </Button>
      ))}
      {asking && <Confirm task={task} act={asking} onClose={() => setAsking(null)} />}
    </>
  );
}

function Confirm({ task, act, onClose }: { task: TaskDetail; act: Act; onClose: () => void }) {
  const [text, setText] = useState("");
  const send = useAct(() => `/api/tasks/${encodeURIComponent(task.task_id)}/${act}`);
  // What is approved is what stands on this page: if it has changed meanwhile, its hash has.
  const [hash] = useState(task.approval?.content_hash);
  const body =
    act === "approve"
      ? { way: "dashboard", ...(hash === undefined ? {} : { content_hash: hash }), ...(text ? { comment: text } : {}) }
      : act === "reject"
        ? { way: "dashboard", comment: text }
        : act === "cancel"
          ? { way: "dashboard", ...(text ? { reason: text } : {}) }
          : { way: "dashboard" };
  const submit = (): void =>
    send.mutate(body, {
      onSuccess: () => {
        notify("good", words[act].done);
        onClose();
      },
    });
  return (
    <Dialog title={words[act].title} onClose={onClose}>
      <p className="font-medium wrap-anywhere">{task.title}</p>
      {act === "approve" && (
        <p className="text-sm text-muted">
          {task.current_agent} gets exactly what this page shows
          {hash && (
            <>
              {" "}
              (content <code className="font-mono text-xs">{hash.slice(0, 12)}</code>)
            </>
          )}
          , and runs as soon as it is free.
        </p>
      )}
      {act === "retry" && <p className="text-sm text-muted">With the same input, and its tries counted from the beginning.</p>}
      {act !== "retry" && (
        <label className="flex flex-col gap-1 text-sm font-medium">
          {act === "reject" ? "What is wrong with it" : act === "cancel" ? "Why" : "A comment, if you like"}
          <textarea
            rows={3}
            maxLength={2000}
            className="field font-normal"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
      )}
      {send.isError && (
        <p role="alert" className="text-sm wrap-anywhere text-bad">
          {send.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Back</Button>
        <Button look={act === "reject" || act === "cancel" ? "danger" : "main"} disabled={send.isPending} onClick={submit}>
          {words[act].button}
        </Button>
      </div>
    </Dialog>
  );
}
