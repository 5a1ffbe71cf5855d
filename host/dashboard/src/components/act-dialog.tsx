// Asks whether a task is to be approved, rejected, retried or cancelled, and does it. The server decides whether it may be
// done; its sentence is shown where it says no.
import { type ReactNode, useState } from "react";
import { useAct } from "../api/queries";
import type { Task } from "../api/schema";
import { useName } from "../api/session";
import { draft, useDraft } from "../lib/draft";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { notify } from "./notices";

export type Act = "approve" | "reject" | "retry" | "cancel";

export const actWords: Record<Act, { button: string; title: string; done: string; icon: "check" | "cross" | "retry" | "close" }> = {
  approve: { button: "Approve", title: "Approve this task?", done: "Approved.", icon: "check" },
  reject: { button: "Reject", title: "Reject this task?", done: "Rejected.", icon: "cross" },
  retry: { button: "Retry", title: "Run it once more?", done: "Queued again.", icon: "retry" },
  cancel: { button: "Cancel", title: "Cancel this task?", done: "Cancelled.", icon: "close" },
};

const asks: Record<Act, string | null> = {
  approve: "A comment, if you like",
  reject: "What is wrong with it",
  retry: null,
  cancel: "Why",
};

const aboutOf = (act: Act, taskId: string): string => `${act} ${taskId}`;

// The one of these acts that somebody had begun to give a reason for, when the session ended or the page was left.
export function begunAct(by: string, taskId: string, acts: Act[]): Act | null {
  return acts.find((act) => draft(by, aboutOf(act, taskId)) !== "") ?? null;
}

export function ActDialog({
  task,
  contentHash,
  act,
  onClose: onClosed,
  children,
}: {
  task: Pick<Task, "task_id" | "title" | "current_agent">;
  contentHash: string | undefined; // of what waits
  act: Act;
  onClose: () => void;
  children?: ReactNode; // what is decided about
}) {
  const { text, found, type, drop } = useDraft(useName(), aboutOf(act, task.task_id));
  const onClose = (): void => {
    drop();
    onClosed();
  };
  const send = useAct(() => `/api/tasks/${encodeURIComponent(task.task_id)}/${act}`);
  // What is approved or rejected is what was shown: if it has changed meanwhile, its hash has.
  const [hash] = useState(contentHash);
  const body =
    act === "approve" || act === "reject"
      ? { way: "dashboard", ...(hash === undefined ? {} : { content_hash: hash }), ...(text ? { comment: text } : {}) }
      : act === "cancel"
        ? { way: "dashboard", ...(text ? { reason: text } : {}) }
        : { way: "dashboard" };
  const submit = (): void =>
    send.mutate(body, {
      onSuccess: () => {
        notify("good", actWords[act].done);
        onClose();
      },
    });
  return (
    <Dialog title={actWords[act].title} onClose={onClose}>
      <p className="font-medium wrap-anywhere">{task.title || "(no title)"}</p>
      {children}
      {act === "approve" && (
        <p className="text-sm text-muted">
          {task.current_agent} gets exactly what waits now
          {hash && (
            <>
              {" "}
              (content <code className="font-mono text-xs">{hash.slice(0, 12)}</code>)
            </>
          )}
          , and runs as soon as it is free.
        </p>
      )}
      {act === "reject" && hash && (
        <p className="text-sm text-muted">
          Only what waits now (content <code className="font-mono text-xs">{hash.slice(0, 12)}</code>) is rejected, not what comes in its
          place.
        </p>
      )}
      {act === "retry" && <p className="text-sm text-muted">With the same input, and its tries counted from the beginning.</p>}
      {asks[act] && (
        <label className="flex flex-col gap-1 text-sm font-medium">
          {asks[act]}
          <textarea
            rows={3}
            maxLength={2000}
            className="field font-normal"
            value={text}
            onChange={(event) => type(event.target.value)}
          />
        </label>
      )}
      {found && (
        <p role="status" className="text-sm text-muted">
          You had typed this before; it was not sent.
        </p>
      )}
      {send.isError && (
        <p role="alert" className="text-sm wrap-anywhere text-bad">
          {send.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Back</Button>
        <Button look={act === "reject" || act === "cancel" ? "danger" : "main"} disabled={send.isPending} onClick={submit}>
          {actWords[act].button}
        </Button>
      </div>
    </Dialog>
  );
}
