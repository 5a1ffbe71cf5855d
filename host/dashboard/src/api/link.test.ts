import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "./client";
import type { ServerEvent } from "./event-stream";
import { type Around, type Channel, Link, type LinkState } from "./link";

// A browser with tabs: one lock, one channel, and a server whose streams the test writes to.
class Browser {
  readonly streams: { path: string; write: (text: string) => void; end: () => void; aborted: () => boolean }[] = [];
  refuse: ApiError | null = null;
  waits: number[] = [];
  private readonly channels = new Set<Channel>();
  private queue: { lead: () => Promise<void>; signal: AbortSignal }[] = [];
  private held = false;
  private waiting: (() => void)[] = [];

  around(): Around {
    const channels = this.channels;
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => {
        if (!channels.has(channel)) throw new Error("Channel is closed");
        for (const other of channels) if (other !== channel) other.onmessage?.({ data: structuredClone(message) });
      },
      close: () => channels.delete(channel),
    };
    channels.add(channel);
    return {
      channel,
      elect: (lead, signal) => {
        this.queue.push({ lead, signal });
        void this.next();
      },
      open: (path, signal) => {
        if (this.refuse) return Promise.reject(this.refuse);
        return Promise.resolve(
          new ReadableStream<Uint8Array>({
            start: (controller) => {
              signal.addEventListener("abort", () => controller.error(new Error("aborted")));
              this.streams.push({
                path,
                write: (text) => controller.enqueue(new TextEncoder().encode(text)),
                end: () => controller.close(),
                aborted: () => signal.aborted,
              });
            },
          }),
        );
      },
      wait: (milliseconds, signal) => {
        this.waits.push(milliseconds);
        return new Promise((resolve) => {
          this.waiting.push(resolve);
          signal.addEventListener("abort", () => resolve());
        });
      },
    };
  }
  goOn(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
  private async next(): Promise<void> {
    if (this.held) return;
    const first = this.queue.shift();
    if (!first) return;
    if (!first.signal.aborted) {
      this.held = true;
      await first.lead();
      this.held = false;
    }
    void this.next();
  }
}

class Tab {
  readonly events: ServerEvent[] = [];
  readonly states: LinkState[] = [];
  readonly link: Link;
  constructor(browser: Browser) {
    this.link = new Link(
      browser.around(),
      (events) => this.events.push(...events),
      (state) => this.states.push(state),
    );
    tabs.push(this);
  }
}

const tabs: Tab[] = [];
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.link.leave();
  vi.restoreAllMocks();
});

const hello = 'id: e-1\nevent: hello\ndata: {"resumed":false}\n\n';
const task = 'id: e-2\nevent: task\ndata: {"task_id":"t"}\n\n';

test("one stream serves all tabs, and the next tab goes on with it where the first one left", async () => {
  const browser = new Browser();
  const first = new Tab(browser);
  const second = new Tab(browser);
  await expect.poll(() => browser.streams.length).toBe(1);
  expect(browser.streams[0]?.path).toBe("/api/dashboard/events");
  browser.streams[0]?.write(hello);
  browser.streams[0]?.write(task);
  await expect.poll(() => second.events.map((each) => each.event)).toEqual(["hello", "task"]);
  expect(first.events).toEqual(second.events);
  expect([first.link.state, second.link.state]).toEqual(["up", "up"]);
  const third = new Tab(browser);
  await expect.poll(() => third.link.state).toBe("up");

  first.link.leave();
  await expect.poll(() => browser.streams.length).toBe(2);
  expect(browser.streams[0]?.aborted()).toBe(true);
  expect(browser.streams[1]?.path).toBe("/api/dashboard/events?last_event_id=e-2");
  browser.streams[1]?.write('id: e-2\nevent: hello\ndata: {"resumed":true}\n\n');
  await expect.poll(() => third.events.length).toBe(1);
  expect(second.states).not.toContain("down");
});

test("a stream that ends is opened again, after waits that grow until something comes", async () => {
  const browser = new Browser();
  const tab = new Tab(browser);
  await expect.poll(() => browser.streams.length).toBe(1);
  browser.streams[0]?.write(hello);
  await expect.poll(() => tab.link.state).toBe("up");
  browser.streams[0]?.end();
  await expect.poll(() => tab.link.state).toBe("down");
  browser.refuse = new ApiError(0, "davit does not answer. Is it running?");
  for (let failures = 1; failures <= 9; ++failures) {
    await expect.poll(() => browser.waits.length).toBe(failures);
    browser.goOn();
  }
  expect(tab.link.state).toBe("down");
  expect(browser.waits[5] ?? 0).toBeGreaterThan((browser.waits[0] ?? 0) * 4);
  expect(Math.max(...browser.waits)).toBeLessThanOrEqual(30_000);
  browser.refuse = null;
  browser.goOn();
  await expect.poll(() => browser.streams.length).toBe(2);
  expect(browser.streams[1]?.path).toBe("/api/dashboard/events?last_event_id=e-1");
  browser.streams[1]?.write(hello);
  await expect.poll(() => tab.link.state).toBe("up");
});

test("each tab knows when the server was last heard, also that it only lives", async () => {
  let now = 1_000;
  vi.spyOn(Date, "now").mockImplementation(() => now);
  const browser = new Browser();
  const first = new Tab(browser);
  const second = new Tab(browser);
  await expect.poll(() => browser.streams.length).toBe(1);
  expect([first.link.heardAt, second.link.heardAt]).toEqual([0, 0]);
  browser.streams[0]?.write(hello);
  await expect.poll(() => second.link.state).toBe("up");
  now = 20_000;
  browser.streams[0]?.write(": davit lives\n\n");
  await expect.poll(() => [first.link.heardAt, second.link.heardAt]).toEqual([20_000, 20_000]);
  expect(second.events.map((each) => each.event)).toEqual(["hello"]);
  now = 30_000;
  browser.refuse = new ApiError(0, "davit does not answer");
  browser.streams[0]?.end();
  await expect.poll(() => second.link.state).toBe("down");
  // One that comes only now is told.
  const third = new Tab(browser);
  await expect.poll(() => third.link.state).toBe("down");
  expect([first, second, third].map((tab) => tab.link.heardAt)).toEqual([20_000, 20_000, 20_000]);
});

test("a server that has no stream for us is told apart from one that is gone", async () => {
  const browser = new Browser();
  browser.refuse = new ApiError(429, "as many streams are open as may be");
  const tab = new Tab(browser);
  const other = new Tab(browser);
  await expect.poll(() => tab.link.state).toBe("refused");
  expect(other.link.state).toBe("refused");
  expect(browser.waits[0] ?? 0).toBeGreaterThanOrEqual(2_500);
});

test("the stream tells of the transcripts that any tab shows", async () => {
  const browser = new Browser();
  const first = new Tab(browser);
  const second = new Tab(browser);
  await expect.poll(() => browser.streams.length).toBe(1);
  browser.streams[0]?.write(hello);
  await expect.poll(() => second.link.state).toBe("up");

  second.link.follow(["b"]);
  await expect.poll(() => browser.streams.length).toBe(2);
  expect(browser.streams[1]?.path).toBe("/api/dashboard/events?task=b&last_event_id=e-1");
  browser.streams[1]?.write(hello);
  first.link.follow(["a"]);
  await expect.poll(() => browser.streams.length).toBe(3);
  expect(browser.streams[2]?.path).toBe("/api/dashboard/events?task=a%2Cb&last_event_id=e-1");
  second.link.leave();
  await expect.poll(() => browser.streams.length).toBe(4);
  expect(browser.streams[3]?.path).toBe("/api/dashboard/events?task=a&last_event_id=e-1");
  first.link.follow(["a"]);
  expect(browser.streams.length).toBe(4);
  expect(first.states).not.toContain("down");
});
