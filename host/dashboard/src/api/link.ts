// The one stream of events for all tabs of a browser. Over HTTP/1.1 a browser keeps six connections to a server, so a
// stream in each tab would leave the seventh without any: the tabs elect one of them by a lock (Web Locks), which the
// next one gets when that tab goes. It tells the others what comes (BroadcastChannel), and they tell it which
// transcripts they show. Where a browser has no locks (an address that is neither https nor this machine), each tab
// has a stream of its own while it is looked at.
import { ApiError, openStream, queryText } from "./client";
import { type ServerEvent, readEvents } from "./event-stream";
import { randomHex } from "./random";

// up: what changes is told. down: it was and is to be again. refused: the server has no stream for us now.
export type LinkState = "connecting" | "up" | "down" | "refused";

export interface Around {
  open: (path: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  // Calls `lead` as soon as this tab is the one, which it is until that has ended; or never.
  elect: (lead: () => Promise<void>, signal: AbortSignal) => void;
  channel: Channel | null; // null: there are no other tabs
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((message: { data: unknown }) => void) | null;
  close(): void;
}

type Message =
  | { kind: "events"; events: ServerEvent[]; lastId: string } // without events: it lives
  | { kind: "state"; state: LinkState; heardAt: number }
  | { kind: "who" } // a new leader asks who is there
  | { kind: "here"; tab: string; tasks: string[] }
  | { kind: "gone"; tab: string };

const firstWait = 500;
const longestWait = 30_000;
const mostTasks = 16; // of one stream, as the server has it

export class Link {
  state: LinkState = "connecting";
  // When the server was last heard, by an event or a sign that it lives, in this tab or another: milliseconds; 0: never.
  heardAt = 0;
  private lastId = "";
  private tasks: string[] = [];
  private leads = false;
  private readonly tab = randomHex();
  private readonly others = new Map<string, string[]>();
  private readonly ending = new AbortController();
  private turn: AbortController | null = null; // ends the stream there is, for another one

  constructor(
    private readonly around: Around,
    private readonly onEvents: (events: ServerEvent[]) => void,
    private readonly onState: (state: LinkState) => void,
  ) {
    if (around.channel) around.channel.onmessage = ({ data }) => this.hear(data as Message);
    this.sayHere();
    around.elect(() => this.lead(), this.ending.signal);
  }

  // The transcripts of these tasks are shown in this tab.
  follow(tasks: string[]): void {
    const before = this.wanted();
    this.tasks = tasks;
    this.sayHere();
    this.takeUp(before);
  }

  leave(): void {
    this.say({ kind: "gone", tab: this.tab });
    this.ending.abort();
    this.around.channel?.close();
  }

  // Not when it was left: a browser's channel that is closed throws.
  private say(message: Message): void {
    if (!this.ending.signal.aborted) this.around.channel?.postMessage(message);
  }
  private sayHere(): void {
    this.say({ kind: "here", tab: this.tab, tasks: this.tasks });
  }

  private sayState(): void {
    this.say({ kind: "state", state: this.state, heardAt: this.heardAt });
  }

  private hear(message: Message): void {
    const before = this.wanted();
    switch (message.kind) {
      case "events":
        this.lastId = message.lastId;
        this.heardAt = Date.now();
        if (message.events.length > 0) this.onEvents(message.events);
        break;
      case "state":
        if (this.leads) break;
        this.heardAt = Math.max(this.heardAt, message.heardAt);
        this.become(message.state);
        break;
      case "who":
        this.sayHere();
        break;
      case "here":
        if (!this.others.has(message.tab) && this.leads) this.sayState();
        this.others.set(message.tab, message.tasks);
        this.takeUp(before);
        break;
      case "gone":
        this.others.delete(message.tab);
        this.takeUp(before);
        break;
    }
  }

  private become(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    if (this.leads) this.sayState();
    this.onState(state);
  }

  private wanted(): string {
    return [...new Set([...this.tasks, ...[...this.others.values()].flat()])].slice(0, mostTasks).sort().join(",");
  }
  // Another stream, going on where this one is, if it is to tell of other transcripts.
  private takeUp(before: string): void {
    if (this.leads && this.wanted() !== before) this.turn?.abort();
  }

  private async lead(): Promise<void> {
    this.leads = true;
    this.others.clear();
    this.say({ kind: "who" });
    for (let failures = 0; !this.ending.signal.aborted; ) {
      const turn = new AbortController();
      this.turn = turn;
      const signal = AbortSignal.any([turn.signal, this.ending.signal]);
      let refused = false;
      try {
        const path = `/api/dashboard/events${queryText({ task: this.wanted(), last_event_id: this.lastId })}`;
        const body = await this.around.open(path, signal);
        await readEvents(body, this.lastId, (events, lastId) => {
          failures = 0;
          this.lastId = lastId;
          this.heardAt = Date.now();
          this.become("up");
          this.say({ kind: "events", events, lastId });
          if (events.length > 0) this.onEvents(events);
        });
      } catch (error) {
        refused = error instanceof ApiError && error.status >= 400;
      }
      if (this.ending.signal.aborted) return;
      if (turn.signal.aborted) continue;
      this.become(refused ? "refused" : "down");
      ++failures;
      // Not all browsers at once, when a server is there again.
      const wait = Math.min(longestWait, (refused ? 10 : 1) * firstWait * 2 ** Math.min(failures - 1, 6));
      await this.around.wait(wait * (0.5 + Math.random() / 2), signal);
    }
  }
}

// ---- what a browser has

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function allTabs(): Around {
  return {
    open: openStream,
    elect: (lead, signal) => {
      navigator.locks.request("davit-events", { signal }, lead).catch(() => undefined); // it was left before its turn
    },
    channel: new BroadcastChannel("davit-events") as Channel,
    wait,
  };
}

// Resolves when the page is looked at, or not any more.
function whenHidden(hidden: boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden === hidden) resolve();
    };
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", () => resolve());
    look();
  });
}

function thisTab(): Around {
  return {
    open: (path, signal) => {
      const hidden = new AbortController();
      void whenHidden(true, signal).then(() => hidden.abort());
      return openStream(path, AbortSignal.any([signal, hidden.signal]));
    },
    elect: (lead) => void lead(),
    channel: null,
    wait: async (milliseconds, signal) => {
      await wait(milliseconds, signal);
      await whenHidden(false, signal);
    },
  };
}

export function browser(): Around {
  return "locks" in navigator && "BroadcastChannel" in globalThis ? allTabs() : thisTab();
}
