// Acts on many tasks: what is selected, what it would do, what came of it. davit decides for each task.
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type BulkTarget, useBulkAct, useBulkPreview } from "../../api/queries";
import { type BulkAction, type BulkOutcome, type BulkPreview, bulkActions, taskStatuses } from "../../api/schema";
import { StatusBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Dialog } from "../../components/dialog";
import { ErrorState, Loading } from "../../components/states";
import { count, counted, shortId } from "../../lib/format";
import { type Selection, areAllSelected, newIdempotencyKey, nothing, toggledShown } from "./selection";

const words = {
  cancel: { button: "Cancel", title: "Cancel tasks", ask: "Why", icon: "close" },
  retry: { button: "Retry", title: "Retry tasks", ask: "A comment, if you like", icon: "retry" },
  approve: { button: "Approve", title: "Approve tasks", ask: "A comment, if you like", icon: "check" },
  reject: { button: "Reject", title: "Reject tasks", ask: "What is wrong with them", icon: "cross" },
} as const;

const isHard = (action: BulkAction): boolean => action === "cancel" || action === "reject";

// What is selected, and what can be done with it.
export function BulkBar({
  selection,
  shown,
  onSelect,
  onAct,
}: {
  selection: Selection;
  shown: string[];
  onSelect: (selection: Selection) => void;
  onAct: (action: BulkAction) => void;
}) {
  const some = selection.all || selection.ids.size > 0;
  return (
    <div role="group" aria-label="Selection" className="flex flex-wrap items-center gap-x-3 gap-y-2 text-sm">
      <label className="flex h-8 items-center gap-2">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={areAllSelected(selection, shown)}
          onChange={() => onSelect(toggledShown(selection, shown))}
        />
        All shown
      </label>
      <Button
        aria-pressed={selection.all}
        onClick={() => onSelect({ ...nothing(selection.filter), all: !selection.all })}
        className="aria-pressed:border-accent aria-pressed:bg-sunken"
      >
        All that match the filter
      </Button>
      {some && (
        <>
          <span role="status" className="text-muted">
            {selection.all ? "All that match, not only those shown" : `${count(selection.ids.size)} selected`}
          </span>
          <div className="flex flex-wrap gap-2 md:ml-auto">
            {bulkActions.map((action) => (
              <Button
                key={action}
                icon={words[action].icon}
                look={action === "reject" ? "danger" : "plain"}
                aria-label={`${words[action].button} what is selected`}
                onClick={() => onAct(action)}
              >
                {words[action].button}
              </Button>
            ))}
            <Button look="quiet" onClick={() => onSelect(nothing(selection.filter))}>
              Select none
            </Button>
          </div>
        </>
      )}
    </div>
  );
}

export function BulkDialog({
  action,
  target,
  onDone,
  onClose,
}: {
  action: BulkAction;
  target: BulkTarget;
  onDone: () => void;
  onClose: () => void;
}) {
  const [key] = useState(newIdempotencyKey);
  const [comment, setComment] = useState("");
  const preview = useBulkPreview();
  const act = useBulkAct(key);
  const ask = preview.mutate;
  useEffect(() => ask({ action, ...target }), [ask, action, target]);
  const lookAgain = (): void => {
    act.reset();
    ask({ action, ...target });
  };
  const shown = preview.data;
  return (
    <Dialog title={words[action].title} onClose={act.isPending ? () => undefined : onClose}>
      {act.data ? (
        <Outcome outcome={act.data} onClose={onClose} />
      ) : preview.isError ? (
        <ErrorState error={preview.error} onRetry={lookAgain} />
      ) : !shown ? (
        <Loading lines={3} />
      ) : (
        <>
          <Preview preview={shown} />
          {shown.count > 0 && (
            <label className="flex flex-col gap-1 text-sm font-medium">
              {words[action].ask}
              {/* Once sent it stays: the same act is sent again, not another one. */}
              <textarea
                rows={2}
                maxLength={500}
                readOnly={!act.isIdle}
                className="field font-normal"
                value={comment}
                onChange={(event) => setComment(event.target.value)}
              />
            </label>
          )}
          {act.isError && (
            <div role="alert" className="flex flex-wrap items-center gap-2 text-sm text-bad">
              <span className="wrap-anywhere">{act.error.message}</span>
              <Button icon="retry" onClick={lookAgain}>
                Look again
              </Button>
            </div>
          )}
          <div className="flex justify-end gap-2">
            <Button disabled={act.isPending} onClick={onClose}>
              Back
            </Button>
            <Button
              look={isHard(action) ? "danger" : "main"}
              disabled={shown.count === 0 || act.isPending}
              onClick={() =>
                act.mutate({ token: shown.token, ...(comment ? { comment } : {}) }, { onSuccess: onDone })
              }
            >
              {`${words[action].button} ${counted(shown.count, "task")}`}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Preview({ preview }: { preview: BulkPreview }) {
  return (
    <>
      <p className="font-medium">
        {preview.count === 0 ? "None of them can be acted on like that now." : `${counted(preview.count, "task")}:`}
      </p>
      <ul aria-label="By status" className="flex flex-wrap gap-x-4 gap-y-1">
        {taskStatuses.map((status) => {
          const tasks = preview.by_status[status];
          return (
            tasks !== undefined && (
              <li key={status} className="flex items-center gap-2">
                <span className="font-semibold">{count(tasks)}</span>
                <StatusBadge status={status} />
              </li>
            )
          );
        })}
      </ul>
      {preview.samples.length > 0 && (
        <ul aria-label="Some of them" className="max-h-48 overflow-y-auto rounded-[7px] border border-line text-sm">
          {preview.samples.map((task) => (
            <li key={task.task_id} className="truncate border-t border-line px-3 py-1 first:border-t-0">
              {task.title || "(no title)"}
            </li>
          ))}
          {preview.count > preview.samples.length && (
            <li className="border-t border-line px-3 py-1 text-muted">
              and {count(preview.count - preview.samples.length)} more
            </li>
          )}
        </ul>
      )}
      {preview.more && (
        <p className="text-sm text-muted">There are more than one act takes: these first, then once more for the rest.</p>
      )}
      {preview.left_out.length > 0 && (
        <Reasons
          title={`${counted(preview.left_out.length, "task")} left out:`}
          reasons={preview.left_out.map((each) => [each.task_id, each.detail])}
        />
      )}
    </>
  );
}

function Outcome({ outcome, onClose }: { outcome: BulkOutcome; onClose: () => void }) {
  const refused = outcome.outcomes.filter((each) => each.status === undefined);
  return (
    <>
      <p role="status" className="font-medium">
        {`Done with ${count(outcome.done)} of ${counted(outcome.count, "task")}.`}
      </p>
      {refused.length > 0 && (
        <Reasons
          title={`${counted(refused.length, "task")} refused, and left as before:`}
          reasons={refused.map((each) => [each.task_id, each.detail ?? ""])}
        />
      )}
      <div className="flex justify-end">
        <Button look="main" onClick={onClose}>
          Close
        </Button>
      </div>
    </>
  );
}

function Reasons({ title, reasons }: { title: string; reasons: [id: string, why: string][] }) {
  return (
    <div className="text-sm">
      <p>{title}</p>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div role="region" aria-label={title} tabIndex={0} className="mt-1 max-h-40 overflow-y-auto rounded-[7px] border border-line">
        <ul>
          {reasons.map(([id, why]) => (
            <li key={id} className="border-t border-line px-3 py-1 wrap-anywhere first:border-t-0">
              <Link to="/tasks/$id" params={{ id }} className="link font-mono text-xs">
                {shortId(id)}
              </Link>{" "}
              {why}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
