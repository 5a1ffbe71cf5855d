// What waits, who has waited longest first, with the plan that is decided about.
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { useLive, useLivePages } from "../../api/live";
import { agents, approvalPages } from "../../api/queries";
import type { Approvals } from "../../api/schema";
import { useMayAct } from "../../api/session";
import { type Act, ActDialog } from "../../components/act-dialog";
import { Acts } from "../../components/acts";
import { Button } from "../../components/button";
import { Markdown } from "../../components/markdown";
import { MorePages } from "../../components/more-pages";
import { Select } from "../../components/select";
import { Empty, ErrorState, Loading } from "../../components/states";
import { Time } from "../../components/time";
import { counted, usd } from "../../lib/format";
import { useShortcuts } from "../../lib/keys";
import { useNow } from "../../lib/now";
import { type Plan, planIn, planTitle } from "../../lib/plan";

type WaitingTask = Approvals["approvals"][number];

const soon = 3_600_000;

export function Waiting({ agent, onAgent }: { agent: string | undefined; onAgent: (agent: string) => void }) {
  const query = useLivePages(approvalPages({ agent }));
  const navigate = useNavigate();
  const mayAct = useMayAct();
  // Not only those that always ask: any may have a task for which the agent before it asked.
  const known = useLive(agents(), "slow").data?.agents ?? [];
  const list = query.data?.pages.flatMap((page) => page.approvals) ?? [];
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [asking, setAsking] = useState<{ waiting: WaitingTask; act: Act } | null>(null);
  const chosen = list.findIndex((each) => each.task.task_id === chosenId);
  const choose = (index: number): void => {
    const next = list[Math.max(0, Math.min(index, list.length - 1))];
    if (next) setChosenId(next.task.task_id);
  };
  const ask = (act: Act): void => {
    const waiting = list[chosen];
    if (waiting && mayAct) setAsking({ waiting, act });
  };
  useShortcuts({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    a: () => ask("approve"),
    r: () => ask("reject"),
    Enter: () => {
      if (chosenId && chosen >= 0) void navigate({ to: "/tasks/$id", params: { id: chosenId } });
    },
  });
  return (
    <div className="flex flex-col gap-3">
      <Select name="Agent" value={agent} options={known.map((each) => each.name)} onChange={onAgent} />
      <section aria-label="Waiting for approval" className="card">
        {query.data === undefined ? (
          query.isError ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading lines={6} />
          )
        ) : list.length === 0 ? (
          <Empty icon="approvals" title="Nothing waits for a person">
            {agent
              ? `No task of ${agent} does. Others may.`
              : "A task of an agent with requires_approval stands here until somebody decides, with what the agent would get."}
          </Empty>
        ) : (
          <ul>
            {list.map((each) => (
              <Line
                key={each.task.task_id}
                waiting={each}
                chosen={each.task.task_id === chosenId}
                onAct={(act) => setAsking({ waiting: each, act })}
              />
            ))}
          </ul>
        )}
        <MorePages query={query} name="Later ones" />
      </section>
      {asking && (
        <ActDialog
          task={asking.waiting.task}
          contentHash={asking.waiting.approval.content_hash}
          act={asking.act}
          onClose={() => setAsking(null)}
        >
          <What waiting={asking.waiting} />
        </ActDialog>
      )}
    </div>
  );
}

function Line({ waiting, chosen, onAct }: { waiting: WaitingTask; chosen: boolean; onAct: (act: Act) => void }) {
  const { task, approval, chain_cost_usd } = waiting;
  const now = useNow();
  const [open, setOpen] = useState(false);
  const body = useId();
  const line = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) line.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const plan = planIn(waiting.plan);
  return (
    <li
      ref={line}
      aria-current={chosen || undefined}
      className="border-t border-line px-4 py-3 first:border-t-0 aria-[current=true]:bg-sunken aria-[current=true]:shadow-[inset_3px_0_0_var(--accent)]"
    >
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-72">
          {/* The headings of its plan come below it. */}
          <h2 className="font-medium wrap-anywhere">
            <Link to="/tasks/$id" params={{ id: task.task_id }} className="hover:underline">
              {task.title || "(no title)"}
            </Link>
          </h2>
          {plan && planTitle(plan) !== task.title && <p className="truncate text-sm">{planTitle(plan)}</p>}
          {waiting.plan_left_out && (
            <p className="text-sm text-muted">
              What it is given is too large to be shown here:{" "}
              <Link to="/tasks/$id" params={{ id: task.task_id }} className="link">
                read it on the page of the task
              </Link>
              .
            </p>
          )}
          <p className="mt-0.5 flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-muted">
            <span>for {task.current_agent}</span>
            {task.entity && <span className="wrap-anywhere">{task.entity}</span>}
            <span>{usd(chain_cost_usd)} so far</span>
            <span>
              asked <Time iso={approval.asked_at} />
            </span>
            {approval.reminders > 0 && <span>{counted(approval.reminders, "reminder")} sent</span>}
            {approval.deadline && (
              <span className={Date.parse(approval.deadline) - now < soon ? "font-medium text-wait" : ""}>
                ends <Time iso={approval.deadline} />
              </span>
            )}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {plan && (
            <Button look="quiet" aria-expanded={open} aria-controls={open ? body : undefined} onClick={() => setOpen(!open)}>
              {open ? "Hide plan" : "Plan"}
            </Button>
          )}
          <Acts>
            <Button look="main" icon="check" aria-label={`Approve ${task.title}`} onClick={() => onAct("approve")}>
              Approve
            </Button>
            <Button look="danger" icon="cross" aria-label={`Reject ${task.title}`} onClick={() => onAct("reject")}>
              Reject
            </Button>
          </Acts>
        </div>
      </div>
      {open && plan && (
        <div id={body} className="mt-3">
          <PlanText plan={plan} />
        </div>
      )}
    </li>
  );
}

// What is decided about, beside the question.
function What({ waiting }: { waiting: WaitingTask }) {
  const plan = planIn(waiting.plan);
  return (
    <>
      {plan && <PlanText plan={plan} />}
      <p className="text-sm text-muted">
        {waiting.plan_left_out && "What the agent before it left is too large to be shown here. "}
        {!plan && !waiting.plan_left_out && "There is no plan with it. "}
        <Link to="/tasks/$id" params={{ id: waiting.task.task_id }} className="link">
          All it gets
        </Link>{" "}
        is on the page of the task.
      </p>
    </>
  );
}

function PlanText({ plan }: { plan: Plan }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div role="region" aria-label="Plan" tabIndex={0} className="max-h-72 overflow-auto rounded-lg border border-line bg-surface px-4 py-3">
      <Markdown text={plan.text} />
    </div>
  );
}
