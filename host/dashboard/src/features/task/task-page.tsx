import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useLive } from "../../api/live";
import { task as taskQuery } from "../../api/queries";
import type { Json, TaskDetail } from "../../api/schema";
import { StatusBadge } from "../../components/badge";
import { BackLink } from "../../components/back-link";
import { Card, Fact, Facts, Page } from "../../components/card";
import { Copy } from "../../components/copy";
import { RunsLater, useIsForLater } from "../../components/for-later";
import { JsonTree } from "../../components/json-tree";
import { OutsideLink } from "../../components/outside-link";
import { Loaded } from "../../components/states";
import { Tabs } from "../../components/tabs";
import { Time } from "../../components/time";
import { count, duration, shortId, usd, words } from "../../lib/format";
import { useNow } from "../../lib/now";
import { useTitle } from "../../lib/title";
import { TaskActions } from "./actions";
import { ChainCard } from "./chain";
import { Executions } from "./executions";
import { FilesCard } from "./files";
import { MadePlanCard, ReviewCard } from "./review";
import { TranscriptCard } from "./transcript";

const ended = ["completed", "failed", "cancelled"];

export function TaskPage() {
  const { id } = useParams({ from: "/tasks/$id" });
  const query = useLive(taskQuery(id), "quick");
  useTitle(query.data?.title || "Task");
  return (
    <Page key={id}>
      <BackLink to="/tasks">Tasks</BackLink>
      {!query.data && <h1 className="sr-only">Task</h1>}
      <Loaded query={query} lines={8}>
        {(task) => <Whole key={task.task_id} task={task} />}
      </Loaded>
    </Page>
  );
}

function Whole({ task }: { task: TaskDetail }) {
  return (
    <>
      <Head task={task} />
      <Callout task={task} />
      <div className="grid gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-4">
          {/* Who is to decide sees first what he decides about. */}
          {task.status === "awaiting_approval" && (
            <>
              <ReviewCard task={task} />
              {task.parent_id && <FilesCard taskId={task.parent_id} title="Files of the agent before" />}
            </>
          )}
          <MadePlanCard task={task} />
          <Executions task={task} />
          <TranscriptCard task={task} />
          {task.status !== "awaiting_approval" && <Data task={task} />}
          {task.status !== "awaiting_approval" && wasDecided(task) && <ReviewCard task={task} />}
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <About task={task} />
          <ChainCard task={task} />
          <Decisions task={task} />
          <FilesCard taskId={task.task_id} title="Files" />
        </div>
      </div>
    </>
  );
}

function wasDecided(task: TaskDetail): boolean {
  return task.decisions.some((decision) => decision.kind === "approve" || decision.kind === "reject");
}

function Head({ task }: { task: TaskDetail }) {
  const now = useNow();
  const end = task.finished_at ? Date.parse(task.finished_at) : now;
  return (
    <header className="flex flex-wrap items-start gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-80">
        <h1 className="text-xl leading-snug font-semibold tracking-tight wrap-anywhere">{task.title || "(no title)"}</h1>
        <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
          <StatusBadge status={task.status} />
          <span>{task.current_agent}</span>
          <span>
            {ended.includes(task.status) ? "took" : "for"} {duration(Math.max(end - Date.parse(task.created_at), 0) / 1000)}
          </span>
          {task.total_cost_usd > 0 && <span>{usd(task.total_cost_usd)}</span>}
          <span className="whitespace-nowrap">
            <code className="font-mono text-xs">{shortId(task.task_id)}</code>
            <Copy text={task.task_id} what="the task's id" />
          </span>
        </div>
      </div>
      <div className="flex flex-wrap gap-2">
        <TaskActions task={task} />
      </div>
    </header>
  );
}

// What one should know first: what it waits for, or why it failed.
function Callout({ task }: { task: TaskDetail }) {
  const isForLater = useIsForLater(task);
  if (task.status === "awaiting_approval") {
    return (
      <div className="tone rounded-[10px] border px-4 py-3 [--tone:var(--wait)]">
        <p className="font-semibold">A person decides whether {task.current_agent} may run this.</p>
        <p className="text-sm">
          {task.approval ? (
            <>
              Asked <Time iso={task.approval.asked_at} />
              {task.approval.deadline && (
                <>
                  ; lapses <Time iso={task.approval.deadline} />
                </>
              )}
              .{" "}
            </>
          ) : null}
          {task.decisions.at(-1)?.kind === "changed" && "What was approved has changed since, so it is asked for anew. "}
        </p>
      </div>
    );
  }
  if (task.error && (task.status === "failed" || task.status === "parked")) {
    return (
      <div
        className={`tone rounded-[10px] border px-4 py-3 ${task.status === "failed" ? "[--tone:var(--bad)]" : "[--tone:var(--plum)]"}`}
      >
        <p className="font-semibold">{task.status === "failed" ? "It failed" : "It is parked"}</p>
        <p className="text-sm wrap-anywhere whitespace-pre-wrap">{task.error}</p>
      </div>
    );
  }
  if (task.hold_reason) {
    return (
      <div className="tone rounded-[10px] border px-4 py-3 [--tone:var(--wait)]">
        <p className="font-semibold">It is held back</p>
        <p className="text-sm wrap-anywhere">
          {task.hold_reason}
          {task.resume_at && (
            <>
              {" "}
              · goes on <Time iso={task.resume_at} />
            </>
          )}
        </p>
      </div>
    );
  }
  if (isForLater) {
    return (
      <div className="tone rounded-[10px] border px-4 py-3 [--tone:var(--wait)]">
        <p className="font-semibold">It waits for its time</p>
        <p className="text-sm wrap-anywhere whitespace-pre-wrap">
          It <RunsLater task={task} />
          {task.error ? `. What its last try said: ${task.error}` : "."}
        </p>
      </div>
    );
  }
  return null;
}

function About({ task }: { task: TaskDetail }) {
  return (
    <Card title="About">
      <Facts>
        <Fact name="Source">{task.source}</Fact>
        <Fact name="Type">{words(task.task_type)}</Fact>
        <Fact name="Created">
          <Time iso={task.created_at} />
        </Fact>
        {task.finished_at ? (
          <Fact name="Finished">
            <Time iso={task.finished_at} />
          </Fact>
        ) : (
          <Fact name="Changed">
            <Time iso={task.updated_at} />
          </Fact>
        )}
        {task.entity && (
          <Fact name="Is about" wide>
            <Link to="/tasks" search={{ entity: task.entity }} className="link">
              {task.entity}
            </Link>
          </Fact>
        )}
        {task.actor && (
          <Fact name="Caused by">
            {task.actor.login || task.actor.id}
            {task.actor.role && <span className="text-muted"> ({task.actor.role})</span>}
          </Fact>
        )}
        <Fact name="Tries">
          {task.attempt} of {task.max_retries + 1}
        </Fact>
        {task.crashes > 0 && <Fact name="Crashes">{count(task.crashes)}</Fact>}
        {task.losses > 0 && <Fact name="Losses">{count(task.losses)}</Fact>}
        {task.priority !== 0 && <Fact name="Priority">{task.priority}</Fact>}
        {task.delivery_id && (
          <Fact name="Came with">
            <Link to="/deliveries/$id" params={{ id: task.delivery_id }} className="link">
              its delivery
            </Link>
          </Fact>
        )}
        {task.parent_id && (
          <Fact name="Follows">
            <Link to="/tasks/$id" params={{ id: task.parent_id }} className="link">
              the task before
            </Link>
          </Fact>
        )}
      </Facts>
      {task.links.length > 0 && (
        <ul className="flex flex-col gap-1 border-t border-line px-4 py-3 text-sm">
          {task.links.map((link) => (
            <li key={`${link.rel} ${link.key} ${link.url}`}>
              <OutsideLink url={link.url}>{link.key || link.rel}</OutsideLink>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Decisions({ task }: { task: TaskDetail }) {
  if (task.decisions.length === 0) return null;
  return (
    <Card title="Decisions">
      <ol>
        {task.decisions.map((decision) => (
          <li key={`${decision.at} ${decision.kind}`} className="border-t border-line px-4 py-2 text-sm first:border-t-0">
            <span className="font-medium">{decision.kind === "refused" ? "refused: approval" : words(decision.kind)}</span>
            {decision.by && <> by {decision.by}</>}
            {decision.way && <span className="text-muted"> ({decision.way})</span>}
            <Time iso={decision.at} className="float-right text-xs leading-5 text-muted" />
            {decision.comment && <p className="wrap-anywhere whitespace-pre-wrap text-muted">{decision.comment}</p>}
            {decision.content_hash && (
              <p className="text-xs text-muted">
                of content <code className="font-mono">{decision.content_hash.slice(0, 12)}</code>
                {decision.kind === "approve" && task.approval && task.approval.content_hash !== decision.content_hash
                  ? ", which is not what waits now"
                  : ""}
              </p>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Data({ task }: { task: TaskDetail }) {
  const parts: { name: string; value: Json }[] = [
    { name: "Input", value: task.payload },
    { name: "From the agent before", value: task.previous_result },
    { name: "Result", value: task.result },
  ].filter((part) => part.value !== null);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = parts.find((part) => part.name === chosen) ?? parts[0];
  if (!shown) return null;
  return (
    <Card title="Data" aside={<Tabs name="Data" tabs={parts.map((part) => part.name)} shown={shown.name} onShow={setChosen} />}>
      <div role="tabpanel" aria-label={shown.name}>
        <JsonTree key={shown.name} value={shown.value} what={shown.name.toLowerCase()} />
      </div>
    </Card>
  );
}
