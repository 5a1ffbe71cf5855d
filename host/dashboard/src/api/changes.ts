// What an event means for what was asked before: rows are corrected where they stand, and what cannot be told from the
// event alone is asked for again: at once, and then no more often than it is worth. Whatever comes in one frame is done
// in one go, so that a hundred events a second cost the page what a few would.
import type { InfiniteData, QueryClient, QueryKey } from "@tanstack/react-query";
import { timeNow } from "./clock";
import type { ServerEvent } from "./event-stream";
import { withCounts } from "./queue-series";
import type { Overview, QueueSeries, Task, TaskDetail, TaskPage, Transcript, TranscriptLine } from "./schema";
import { appended, withLines } from "./transcript-lines";

// Lists that were scrolled further than that are corrected, but not asked for anew: each page is a question.
export const mostLivePages = 3;

// How long after an answer it is not asked again, by the first word of its key, in milliseconds.
const rests: Record<string, number> = {
  tasks: 400,
  deliveries: 400,
  queue: 400,
  overview: 1_000,
  "refused-deliveries": 1_000,
  "agent-stats": 2_000,
  "cost-breakdown": 2_000,
  "agent-chain-analytics": 5_000,
  approvals: 1_000,
  "approvals/history": 1_000,
  series: 2_000,
  "queue-series": 2_000,
};
const usualRest = 250;

interface Told {
  task_id?: string;
  session_id?: string;
  delivery_id?: string;
  status?: Task["status"];
  resumed?: boolean;
  missed?: boolean;
  shortened?: boolean;
}

type Log = Told & TranscriptLine & { task_id: string; session_id: string };

export class Changes {
  private waiting: ServerEvent[] = [];
  private scheduled = false;
  private readonly asked = new Map<string, number>(); // when
  private readonly later = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly client: QueryClient,
    private readonly nextFrame: (apply: () => void) => void = atNextFrame,
  ) {}

  take(events: ServerEvent[]): void {
    this.waiting.push(...events);
    if (this.scheduled) return;
    this.scheduled = true;
    this.nextFrame(() => {
      this.scheduled = false;
      this.apply(this.waiting.splice(0));
    });
  }

  // Nothing is asked for any more.
  stop(): void {
    this.waiting = [];
    for (const timer of this.later.values()) clearTimeout(timer);
    this.later.clear();
  }

  private apply(events: ServerEvent[]): void {
    const touched = new Set<string>(); // tasks
    const statuses = new Map<string, Task["status"]>();
    const stale = new Set<string>();
    const lines: Log[] = [];
    let queue: Overview["queue"] | null = null;
    let all = false;
    for (const { event, data } of events) {
      const told = JSON.parse(data) as Told;
      switch (event) {
        case "hello":
          all ||= told.resumed !== true;
          // Lines are told from here on: those before are in the transcript.
          for (const key of this.keys()) if (key.endsWith("/transcript")) stale.add(key);
          break;
        case "reset":
          all = true;
          break;
        case "task":
          if (told.task_id && told.status) statuses.set(told.task_id, told.status);
          for (const key of ["tasks", `tasks/${told.task_id ?? ""}`, "overview", "agent-stats", "approvals", "approvals/history"])
            stale.add(key);
          touched.add(told.task_id ?? "");
          // Whatever it is now, an execution of it may have ended and cost something: one that is to be followed by another leaves
          // it queued, and by the time this is told it may run again.
          for (const key of ["cost-breakdown", "series"]) stale.add(key);
          if (told.status !== "queued" && told.status !== "running") stale.add("agent-chain-analytics");
          break;
        case "execution":
          stale.add(`tasks/${told.task_id ?? ""}`);
          touched.add(told.task_id ?? "");
          stale.add(`tasks/${told.task_id ?? ""}/artifacts`);
          break;
        case "delivery":
          for (const key of ["deliveries", "webhooks"]) stale.add(key);
          stale.add(told.delivery_id ? `deliveries/${told.delivery_id}` : "refused-deliveries");
          break;
        case "plugin":
          for (const key of ["plugins", "webhooks", "agents"]) stale.add(key);
          break;
        case "queue":
          queue = told as Overview["queue"];
          stale.add("queue");
          break;
        case "budget":
          for (const key of ["queue", "tasks"]) stale.add(key);
          break;
        case "pruned":
          for (const key of this.keys()) if (/^(tasks|deliveries)(\/|$)/.test(key)) stale.add(key);
          for (const key of ["overview", "approvals/history", "agent-stats", "agent-chain-analytics"]) stale.add(key);
          break;
        case "log":
          lines.push(told as Log);
          break;
      }
    }
    if (touched.size > 0) for (const key of this.detailsWithin(touched)) stale.add(key);
    if (statuses.size > 0) this.correctTasks(statuses);
    if (queue) this.correctQueue(queue);
    this.addLines(lines, stale);
    for (const key of all ? this.keys() : stale) this.refresh(key);
  }

  private keys(): Set<string> {
    return new Set(this.client.getQueryCache().getAll().map((query) => String(query.queryKey[0])));
  }

  // Of the tasks that are shown, those with one of these in their chain: they show its status, time and cost, and by a new one
  // the chain goes on, which is told when the one before it ends.
  private detailsWithin(touched: Set<string>): string[] {
    return this.client
      .getQueryCache()
      .findAll({ type: "active" })
      .filter(({ queryKey, state }) => /^tasks\/[^/]+$/.test(String(queryKey[0])) && chainOf(state.data).some((link) => touched.has(link.task_id)))
      .map(({ queryKey }) => String(queryKey[0]));
  }

  // Pages without one of these tasks stay the objects they are, so that nothing is drawn for them.
  private correctTasks(statuses: Map<string, Task["status"]>): void {
    const page = (old: TaskPage): TaskPage => {
      const hit = (task: Task): boolean => (statuses.get(task.task_id) ?? task.status) !== task.status;
      if (!old.tasks.some(hit)) return old;
      return {
        ...old,
        tasks: old.tasks.map((task) => (hit(task) ? { ...task, status: statuses.get(task.task_id) ?? task.status } : task)),
      };
    };
    this.client.setQueriesData<TaskPage | InfiniteData<TaskPage>>({ queryKey: ["tasks"] }, (old) => {
      if (!old) return old;
      if (!("pages" in old)) return page(old);
      const pages = old.pages.map(page);
      return pages.every((each, index) => each === old.pages[index]) ? old : { ...old, pages };
    });
  }

  private correctQueue(queue: Overview["queue"]): void {
    this.client.setQueriesData<Overview>({ queryKey: ["overview"] }, (old) => (old ? { ...old, queue } : old));
    const now = timeNow();
    this.client.setQueriesData<QueueSeries>({ queryKey: ["queue-series"] }, (old) => old && withCounts(old, queue, now));
  }

  // Behind those that are there. Where one is missing between, or was told in short, the transcript is asked.
  private addLines(lines: Log[], stale: Set<string>): void {
    const bySession = new Map<string, Log[]>();
    for (const line of lines) bySession.set(line.session_id, [...(bySession.get(line.session_id) ?? []), line]);
    for (const [session, said] of bySession) {
      const key = `tasks/${said[0]?.task_id ?? ""}/transcript`;
      const ofSession = (queryKey: QueryKey): boolean =>
        queryKey[0] === key && (queryKey[1] as { session?: string } | undefined)?.session === session;
      for (const query of this.client.getQueryCache().findAll({ predicate: (each) => ofSession(each.queryKey) })) {
        const old = query.state.data as Transcript | undefined;
        const execution = old?.executions[0];
        if (!old || !execution || query.state.fetchStatus === "fetching" || said.some((line) => line.missed)) {
          stale.add(key);
          continue;
        }
        let last = execution.lines.at(-1)?.number ?? 0;
        const added: TranscriptLine[] = [];
        for (const { number, at, kind, line, shortened } of said) {
          if (number <= last) continue;
          if (number !== last + 1 || shortened) {
            stale.add(key);
            break;
          }
          added.push({ number, at, kind, line });
          last = number;
        }
        if (added.length === 0) continue;
        this.client.setQueryData<Transcript>(query.queryKey, withLines(old, appended(execution.lines, added)));
      }
    }
  }

  // Asks for what is shown of it, unless that was done a moment ago or is on its way: then a moment later.
  private refresh(key: string): void {
    if (this.later.has(key)) return;
    const rest = rests[key] ?? usualRest;
    const busy = this.client.isFetching({ queryKey: [key] }) > 0;
    const wait = busy ? rest : (this.asked.get(key) ?? 0) + rest - Date.now();
    if (wait > 0) {
      const again = (): void => {
        this.later.delete(key);
        this.refresh(key);
      };
      this.later.set(key, setTimeout(again, wait));
      return;
    }
    for (const [old, when] of this.asked) if (when < Date.now() - 60_000) this.asked.delete(old);
    this.asked.set(key, Date.now());
    void this.client.invalidateQueries({ queryKey: [key], predicate: (query) => isLive(query.state.data) });
  }
}

function chainOf(data: unknown): TaskDetail["chain"] {
  return (data as Partial<TaskDetail> | undefined)?.chain ?? [];
}

function isLive(data: unknown): boolean {
  return ((data as Partial<InfiniteData<unknown>> | undefined)?.pages?.length ?? 0) <= mostLivePages;
}

// What nobody looks at is not drawn, and has no frames.
function atNextFrame(apply: () => void): void {
  if (document.hidden) setTimeout(apply, 500);
  else requestAnimationFrame(apply);
}
