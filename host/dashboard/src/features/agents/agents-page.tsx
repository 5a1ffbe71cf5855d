import { Link } from "@tanstack/react-router";
import { useLive } from "../../api/live";
import { agentStats, agents, fewTasks, queue, useAct } from "../../api/queries";
import type { Agent, AgentStats, Queue, Task } from "../../api/schema";
import { Acts } from "../../components/acts";
import { Badge, PluginBadge, StatusBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Card, Fact, Facts, Page, PageHead } from "../../components/card";
import { Copy } from "../../components/copy";
import { HeldBack } from "../../components/held-back";
import { notify } from "../../components/notices";
import { Empty, Loaded } from "../../components/states";
import { Time } from "../../components/time";
import { Wide } from "../../components/wide";
import { compact, count, duration, percent, usd } from "../../lib/format";
import { useTitle } from "../../lib/title";
import { Concurrency } from "./concurrency";

export function AgentsPage() {
  useTitle("Agents");
  const list = useLive(agents());
  const stats = useLive(agentStats()).data?.stats ?? [];
  const state = useLive(queue()).data;
  const running = useLive(fewTasks({ status: "running", limit: 200 })).data?.tasks ?? [];
  return (
    <Page>
      <PageHead title="Agents" {...(list.data ? { note: count(list.data.agents.length) } : {})}>
        {state && <PauseButton agent={null} paused={state.paused} />}
      </PageHead>
      {state?.paused && (
        <p className="tone rounded-[10px] border px-4 py-3 [--tone:var(--wait)]">
          All agents are paused: tasks wait, what runs goes on.
        </p>
      )}
      <Loaded query={list}>
        {(data) =>
          data.agents.length === 0 ? (
            <Empty icon="agents" title="No agent is loaded">
              Put an agent&apos;s library into the plugins folder and name it in davit.yaml under agents.
            </Empty>
          ) : (
            <div className="grid gap-4 lg:grid-cols-2">
              {data.agents.map((agent) => (
                <AgentCard
                  key={agent.name}
                  agent={agent}
                  stats={stats.find((each) => each.agent === agent.name)}
                  now={state?.agents.find((each) => each.agent === agent.name)}
                  pause={state?.pauses.find((each) => each.agent === agent.name)}
                  running={running.filter((task) => task.current_agent === agent.name)}
                />
              ))}
            </div>
          )
        }
      </Loaded>
      {state && state.schedules.length > 0 && <Schedules schedules={state.schedules} />}
    </Page>
  );
}

function AgentCard({
  agent,
  stats,
  now,
  pause,
  running,
}: {
  agent: Agent;
  stats: AgentStats | undefined;
  now: Queue["agents"][number] | undefined;
  pause: Queue["pauses"][number] | undefined;
  running: Task[];
}) {
  return (
    <Card
      title={agent.display_name || agent.name}
      note={`${agent.name} ${agent.version}`}
      aside={
        <>
          {now?.paused ? (
            <Badge tone="wait" sign="‖">
              paused
            </Badge>
          ) : (
            <PluginBadge state={agent.state} />
          )}
          <PauseButton agent={agent.name} paused={pause !== undefined} />
        </>
      }
    >
      <div className="flex flex-col gap-2 px-4 not-empty:pt-3">
        {agent.description && <p className="text-sm wrap-anywhere text-muted">{agent.description}</p>}
        {agent.held_back ? (
          <HeldBack plugin={{ ...agent, kind: "agent" }} />
        ) : (
          agent.reason && <p className="text-sm wrap-anywhere text-bad">{agent.reason}</p>
        )}
        {pause?.reason && <p className="text-sm wrap-anywhere">Paused: {pause.reason}</p>}
        {agent.capabilities.length > 0 && (
          <div className="flex flex-wrap gap-1">
            {agent.capabilities.map((capability) => (
              <Badge key={capability} tone="calm">
                <span title={capability} className="truncate">
                  {capability}
                </span>
              </Badge>
            ))}
          </div>
        )}
      </div>
      <Facts>
        <Fact name="Running now">
          {count(now?.running ?? 0)} <span className="text-muted">of</span> <Concurrency agent={agent} />
        </Fact>
        <Fact name="Waiting">
          <Link to="/tasks" search={{ agent: agent.name, status: "queued" }} className="link">
            {count(now?.queued ?? 0)}
          </Link>
        </Fact>
        <Fact name="Success">
          {stats?.success_rate === undefined || stats.success_rate === null ? (
            "–"
          ) : (
            <>
              {percent(stats.success_rate)}{" "}
              <span className="text-xs text-muted">of {count(stats.success_rate_tasks)}</span>
            </>
          )}
        </Fact>
        <Fact name="Executions">
          <Link to="/tasks" search={{ agent: agent.name }} className="link">
            {count(stats?.executions ?? 0)}
          </Link>
        </Fact>
        <Fact name="Duration p50 · p95">
          {stats?.p50_duration_seconds === undefined || stats.p50_duration_seconds === null
            ? "–"
            : `${duration(stats.p50_duration_seconds)} · ${duration(stats.p95_duration_seconds ?? 0)}`}
        </Fact>
        <Fact name="Cost">
          <Link to="/costs" search={{ agent: agent.name, by: "day" }} className="link">
            {usd(stats?.total_cost_usd ?? 0)}
          </Link>{" "}
          <span className="text-xs text-muted">{compact(stats?.total_tokens ?? 0)} tokens</span>
        </Fact>
        <Fact name="Tries">{agent.max_retries + 1}</Fact>
        <Fact name="Time limit">{duration(agent.timeout_seconds)}</Fact>
        <Fact name="Approval">{agent.requires_approval ? "always asked for" : "not asked for"}</Fact>
        {agent.generation !== null && <Fact name="Generation">{agent.generation}</Fact>}
        {agent.loaded_at && (
          <Fact name="Loaded">
            <Time iso={agent.loaded_at} />
          </Fact>
        )}
        {agent.sha256 && (
          <Fact name="SHA-256">
            <code className="font-mono text-xs">{agent.sha256.slice(0, 12)}</code>
            <Copy text={agent.sha256} what={`the hash of ${agent.name}`} />
          </Fact>
        )}
      </Facts>
      {running.length > 0 && <RunningNow tasks={running} />}
    </Card>
  );
}

const mostRunning = 5;

function RunningNow({ tasks }: { tasks: Task[] }) {
  return (
    <ul aria-label="Running now" className="border-t border-line py-1.5">
      {tasks.slice(0, mostRunning).map((task) => (
        <li key={task.task_id} className="flex items-center gap-2 px-4 py-1 text-sm">
          <StatusBadge status={task.status} />
          <Link to="/tasks/$id" params={{ id: task.task_id }} className="link min-w-0 truncate">
            {task.title || "(no title)"}
          </Link>
          <Time iso={task.updated_at} className="ml-auto shrink-0 text-xs text-muted" />
        </li>
      ))}
      {tasks.length > mostRunning && (
        <li className="px-4 py-1 text-sm">
          <Link to="/tasks" search={{ agent: tasks[0]?.current_agent ?? "", status: "running" }} className="link">
            {count(tasks.length - mostRunning)} more
          </Link>
        </li>
      )}
    </ul>
  );
}

// One agent, or all of them (null).
function PauseButton({ agent, paused }: { agent: string | null; paused: boolean }) {
  const act = useAct(() => (paused ? "/api/queue/resume" : "/api/queue/pause"));
  const what = agent ?? "all agents";
  return (
    <Acts>
      <Button
        icon={paused ? "play" : "pause"}
        aria-label={`${paused ? "Resume" : "Pause"} ${what}`}
        disabled={act.isPending}
        onClick={() =>
          act.mutate(
            { agent },
            {
              onSuccess: () => notify("good", paused ? `Resumed ${what}.` : `Paused ${what}: what runs goes on.`),
              onError: (error) => notify("bad", error.message),
            },
          )
        }
      >
        {paused ? "Resume" : "Pause"}
        {agent === null && " all"}
      </Button>
    </Acts>
  );
}

function Schedules({ schedules }: { schedules: Queue["schedules"] }) {
  return (
    <Card title="Recurring tasks">
      <Wide name="Recurring tasks">
        <table className="plain w-full text-sm">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Agent</th>
              <th scope="col">When (UTC)</th>
              <th scope="col">Next</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {schedules.map((schedule) => (
              <tr key={schedule.name}>
                <td>{schedule.name}</td>
                <td>{schedule.agent}</td>
                <td className="font-mono text-xs">{schedule.cron}</td>
                <td>{schedule.next_at ? <Time iso={schedule.next_at} /> : "–"}</td>
                <td>
                  {schedule.last_task_id && schedule.last_at ? (
                    <Link to="/tasks/$id" params={{ id: schedule.last_task_id }} className="link">
                      <Time iso={schedule.last_at} />
                    </Link>
                  ) : (
                    "–"
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Card>
  );
}
