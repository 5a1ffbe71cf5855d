import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "../../api/live";
import { fewTasks, overview, plugins, queue } from "../../api/queries";
import type { Overview, Task } from "../../api/schema";
import { PluginBadge, StatusBadge } from "../../components/badge";
import { Budgets } from "../../components/budgets";
import { Card, Page, PageHead, Stat } from "../../components/card";
import { Empty, Loaded, Loading } from "../../components/states";
import { Time } from "../../components/time";
import { compact, count, counted, duration, percent, usd } from "../../lib/format";
import { isWell, shownState } from "../../lib/plugins";
import { useTitle } from "../../lib/title";
import { ApprovalsCard, DecisionsCard } from "./approvals";
import { FirstRun } from "./first-run";
import { QueueCard } from "./queue-card";
import { SeriesCard } from "./series-card";

type Counts = Overview["queue"];

export function OverviewPage() {
  useTitle("Overview");
  const query = useLive(overview());
  return (
    <Page>
      <PageHead title="Overview" note="of the last 30 days" />
      <Loaded query={query}>
        {(data) => (
          <>
            <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
              <Stat name="Tasks" value={count(data.total_tasks)} note={counted(data.total_executions, "execution")} />
              <Stat
                name="Success"
                value={data.success_rate === null ? "–" : percent(data.success_rate)}
                note="of those that came to their end"
              />
              <Stat name="Cost" value={usd(data.total_cost)} note={`${compact(data.total_tokens)} tokens`} />
              <Stat
                name="Duration"
                value={data.avg_duration === null ? "–" : duration(data.avg_duration)}
                note="average of a task that succeeded"
              />
            </div>
            <QueueCards depth={data.queue} />
            {data.total_tasks === 0 ? <FirstRun /> : <Work counts={data.queue} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function QueueCards({ depth }: { depth: Counts }) {
  const states = ["queued", "running", "awaiting_approval", "parked"] as const;
  return (
    <nav aria-label="Tasks by status" className="card grid grid-cols-2 lg:grid-cols-4">
      {states.map((status) => (
        <Link
          key={status}
          to="/tasks"
          search={{ status }}
          className="flex flex-wrap items-center gap-x-3 rounded-[10px] px-4 py-3 hover:bg-raised"
        >
          <span className="text-xl font-semibold">{count(depth[status])}</span>
          <StatusBadge status={status} />
        </Link>
      ))}
    </nav>
  );
}

function Work({ counts }: { counts: Counts }) {
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <div className="min-w-0 xl:col-span-2">
        <QueueCard counts={counts} />
      </div>
      <ApprovalsCard />
      <FailuresCard />
      <SeriesCard />
      <DecisionsCard />
      <HealthCard />
      <BudgetCard />
    </div>
  );
}

function FailuresCard() {
  const query = useLive(fewTasks({ status: "failed", limit: 5 }));
  return (
    <Card
      title="Latest failures"
      aside={
        <Link to="/tasks" search={{ status: "failed" }} className="link text-sm" aria-label="Latest failures: all">
          All
        </Link>
      }
    >
      <Loaded query={query} lines={3}>
        {(data) =>
          data.tasks.length === 0 ? (
            <Quiet>Nothing failed.</Quiet>
          ) : (
            <ul>
              {data.tasks.map((task) => (
                <Line key={task.task_id} task={task} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

function Line({ task }: { task: Task }) {
  return (
    <li className="relative flex items-center gap-3 border-t border-line px-4 py-2 first:border-t-0 hover:bg-raised">
      <div className="min-w-0 flex-1">
        <Link
          to="/tasks/$id"
          params={{ id: task.task_id }}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {task.title || "(no title)"}
        </Link>
        <span className={`block truncate text-xs ${task.error ? "text-bad" : "text-muted"}`}>
          {task.error ?? task.entity ?? task.current_agent}
        </span>
      </div>
      <Time iso={task.updated_at} className="text-xs text-muted" />
    </li>
  );
}

function HealthCard() {
  const query = useLive(plugins(), "slow");
  return (
    <Card
      title="Plugins"
      aside={
        <Link to="/plugins" className="link text-sm">
          All plugins
        </Link>
      }
    >
      <Loaded query={query} lines={2}>
        {(data) => {
          const unwell = data.plugins.filter((plugin) => !isWell(plugin));
          if (data.plugins.length === 0) return <Empty icon="plugins" title="No plugin was found" />;
          if (unwell.length === 0) return <Quiet>{`All well: ${count(data.plugins.length)} loaded.`}</Quiet>;
          return (
            <ul>
              {unwell.map((plugin) => (
                <li
                  key={`${plugin.kind}/${plugin.name}`}
                  className="flex items-start gap-3 border-t border-line px-4 py-2 first:border-t-0"
                >
                  <PluginBadge state={plugin.held_back ? "held_back" : shownState(plugin)} />
                  <div className="min-w-0">
                    <span className="font-medium wrap-anywhere">{plugin.name}</span>
                    <span className="block text-xs text-muted wrap-anywhere">{plugin.reason}</span>
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}

function BudgetCard() {
  const query = useLive(queue());
  if (query.data === undefined) return <Loading lines={1} />;
  if (query.data.budgets.length === 0) return null;
  return (
    <Card title="Budgets">
      <Budgets budgets={query.data.budgets} />
    </Card>
  );
}

function Quiet({ children }: { children: ReactNode }) {
  return <p className="px-4 py-3 text-sm text-muted">{children}</p>;
}
