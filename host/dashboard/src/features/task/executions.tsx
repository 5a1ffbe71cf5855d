// What was run for a task: on a line of time, each with its cost, tokens, model and error.
import type { Execution, TaskDetail, Usage } from "../../api/schema";
import { OutcomeBadge, outcomeTone, tones } from "../../components/badge";
import { Card, Fact, Facts } from "../../components/card";
import { Copy } from "../../components/copy";
import { RunsLater, useIsForLater } from "../../components/for-later";
import { Icon } from "../../components/icon";
import { JsonTree } from "../../components/json-tree";
import { Empty } from "../../components/states";
import { Time } from "../../components/time";
import { count, duration, exact, percent, shortId, usd, words } from "../../lib/format";
import { useNow } from "../../lib/now";
import { type Stretch, timeline } from "./timeline";

export function Executions({ task }: { task: TaskDetail }) {
  const now = useNow();
  const stretches = timeline(task.agent_executions, task.created_at, now);
  const sum = task.agent_executions.length;
  return (
    <Card
      title="Executions"
      note={sum > 0 && `${count(sum)} · ${usd(task.total_cost_usd)} · ${count(task.total_tokens_used)} tokens`}
    >
      {sum === 0 ? (
        <NotRun task={task} />
      ) : (
        <ol>
          {stretches.map((stretch, index) => (
            <Run key={stretch.execution.session_id} stretch={stretch} number={index + 1} of={sum} />
          ))}
        </ol>
      )}
    </Card>
  );
}

// Why it has not run, and when it will.
function NotRun({ task }: { task: TaskDetail }) {
  const isForLater = useIsForLater(task);
  if (task.status === "cancelled" || task.status === "failed") {
    const end = task.decisions.at(-1)?.kind === "reject" ? "rejected" : task.status;
    return (
      <Empty icon="clock" title="It never ran">
        {`It ${end === "failed" ? "failed" : `was ${end}`} before it could.`}
      </Empty>
    );
  }
  return (
    <Empty icon="clock" title="Not run yet">
      {task.hold_reason ??
        (task.status === "awaiting_approval" ? (
          "It runs once somebody has approved it."
        ) : isForLater ? (
          <>
            It <RunsLater task={task} />, if its agent is free for it then.
          </>
        ) : task.status === "queued" ? (
          "It runs when its agent is free for it."
        ) : null)}
    </Empty>
  );
}

// Tries are counted anew by each retry, so its number among all is what tells an execution apart.
function Run({ stretch, number, of }: { stretch: Stretch; number: number; of: number }) {
  const { execution } = stretch;
  return (
    <li className="border-t border-line first:border-t-0">
      <details open={of === 1} className="group">
        <summary className="grid grid-cols-[1rem_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 px-4 py-2.5 hover:bg-raised lg:grid-cols-[1rem_14rem_minmax(0,1fr)_auto]">
          <span className="text-muted transition-transform group-open:rotate-90">
            <Icon name="right" size={13} />
          </span>
          <span
            className="min-w-0 truncate text-sm"
            title={`${execution.agent_name}, try ${execution.attempt}, begun ${exact(execution.started_at)}`}
          >
            {of > 1 && <span className="text-muted">{`${count(number)} of ${count(of)} · `}</span>}
            <span className="font-medium">{execution.agent_name}</span>
            <span className="text-muted"> · try {execution.attempt}</span>
          </span>
          <Track stretch={stretch} />
          <span className="col-start-3 row-start-1 flex items-center gap-3 text-sm lg:col-start-auto lg:row-start-auto">
            <span className="text-muted">{duration(stretch.seconds)}</span>
            <span className="hidden w-16 text-right sm:block">
              {execution.total_cost_usd > 0 ? usd(execution.total_cost_usd) : <span className="text-muted">–</span>}
            </span>
            <OutcomeBadge outcome={execution.outcome} />
          </span>
        </summary>
        <Details execution={execution} />
      </details>
    </li>
  );
}

function Track({ stretch }: { stretch: Stretch }) {
  const tone = tones[outcomeTone(stretch.execution.outcome)];
  return (
    <svg
      viewBox="0 0 100 1"
      preserveAspectRatio="none"
      aria-hidden="true"
      className={`col-span-3 h-3 w-full rounded-sm lg:col-span-1 ${tone}`}
    >
      <rect width="100" height="1" className="fill-sunken" />
      <rect
        x={stretch.waitedFrom * 100}
        width={(stretch.from - stretch.waitedFrom) * 100}
        y="0.42"
        height="0.16"
        className="fill-line-strong"
      />
      <rect x={stretch.from * 100} width={Math.max((stretch.to - stretch.from) * 100, 0.7)} height="1" fill="var(--tone)" />
    </svg>
  );
}

function Details({ execution }: { execution: Execution }) {
  const models = Object.entries(execution.models);
  return (
    <div className="border-t border-line bg-raised">
      {execution.error && (
        <p className="tone mx-4 mt-3 rounded-lg border px-3 py-2 text-sm wrap-anywhere whitespace-pre-wrap [--tone:var(--bad)]">
          {execution.error_class && <strong>{words(execution.error_class)}: </strong>}
          {execution.error}
        </p>
      )}
      {execution.outcome === "running" && execution.progress_message && (
        <p className="px-4 pt-3 text-sm">
          {execution.progress !== null && <strong>{percent(execution.progress)} </strong>}
          {execution.progress_message}
        </p>
      )}
      <Facts>
        <Fact name="Started">
          <Time iso={execution.started_at} />
        </Fact>
        <Fact name="Cost">
          {usd(execution.total_cost_usd)}
          {execution.cost_is_estimate && <span className="text-muted"> (estimated)</span>}
        </Fact>
        <Fact name="Model">{execution.model_used ?? "–"}</Fact>
        <Fact name="Session">
          <code className="font-mono text-xs">{shortId(execution.session_id)}</code>
          <Copy text={execution.session_id} what="the session's id" />
        </Fact>
        {execution.next_agent && <Fact name="Hands over to">{execution.next_agent}</Fact>}
      </Facts>
      <Tokens name={models.length > 1 ? "all models" : null} usage={execution} />
      {models.length > 1 && models.map(([name, usage]) => <Tokens key={name} name={name} usage={usage} />)}
      {execution.output !== null && (
        <details className="border-t border-line">
          <summary className="px-4 py-2 text-sm font-medium">Output</summary>
          <JsonTree value={execution.output} what="the output" />
        </details>
      )}
    </div>
  );
}

// The four classes of tokens; they do not overlap.
function Tokens({ name, usage }: { name: string | null; usage: Usage }) {
  const classes: [string, number][] = [
    ["input", usage.input_tokens],
    ["output", usage.output_tokens],
    ["cache read", usage.cache_read_tokens],
    ["cache write", usage.cache_write_tokens],
  ];
  if (classes.every(([, tokens]) => tokens === 0)) return null;
  return (
    <p className="flex flex-wrap gap-x-4 gap-y-0.5 border-t border-line px-4 py-2 text-sm">
      <span className="text-muted">Tokens{name && ` of ${name}`}</span>
      {classes.map(([label, tokens]) => (
        <span key={label}>
          {count(tokens)} <span className="text-muted">{label}</span>
        </span>
      ))}
      {name !== null && <span className="ml-auto">{usd(usage.total_cost_usd)}</span>}
    </p>
  );
}
