// @vitest-environment jsdom
import { QueryClient, QueryClientProvider, queryOptions, useQuery } from "@tanstack/react-query";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { createElement } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { Around, Channel } from "./link";
import { type LiveState, keepLinked, useLiveState } from "./live";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function shown(persisted: boolean): void {
  dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
}

// As a browser's is: nothing more can be said once it is closed.
function channel(said: unknown[] = []): Channel {
  let closed = false;
  return {
    onmessage: null,
    postMessage: (message) => {
      if (closed) throw new Error("Channel is closed");
      said.push(message);
    },
    close: () => (closed = true),
  };
}

test("a page that comes back out of the browser's memory is linked again, and asks for all it shows", async () => {
  const signals: AbortSignal[] = [];
  const around = (): Around => ({
    open: (_path, signal) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    },
    elect: (lead) => void lead(),
    channel: channel(),
    wait: () => Promise.resolve(),
  });
  const client = new QueryClient();
  const asked = vi.spyOn(client, "invalidateQueries");
  const end = keepLinked(client, around);
  const open = (): boolean[] => signals.map((signal) => !signal.aborted);
  expect(open()).toEqual([true]);
  shown(false); // as every page is when it is loaded
  expect(open()).toEqual([true]);

  dispatchEvent(new Event("pagehide"));
  expect(open()).toEqual([false]);
  asked.mockClear();
  shown(true);
  expect(open()).toEqual([false, true]);
  expect(asked).toHaveBeenCalled();

  end();
  await Promise.resolve();
  expect(open()).toEqual([false, false]);
  shown(true);
  expect(signals).toHaveLength(2);
});

test("while the server is heard nothing is stale; once it is not, what is shown is as old as its last word or a newer answer", async () => {
  let now = 1_000_000;
  vi.spyOn(Date, "now").mockImplementation(() => now);
  let write: (text: string) => void = () => undefined;
  let breakOff: () => void = () => undefined;
  let goOn: () => void = () => undefined;
  const said: unknown[] = []; // to other tabs
  const around = (): Around => ({
    open: () =>
      Promise.resolve(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            write = (text) => controller.enqueue(new TextEncoder().encode(text));
            breakOff = () => controller.close();
          },
        }),
      ),
    elect: (lead) => void lead(),
    channel: channel(said),
    wait: () => new Promise((resolve) => (goOn = resolve)),
  });
  let answers = true;
  const shown = queryOptions({
    queryKey: ["shown"],
    queryFn: () => (answers ? Promise.resolve(now) : Promise.reject(new TypeError("no answer"))),
    retry: false,
    staleTime: Infinity,
  });
  const client = new QueryClient();
  const end = keepLinked(client, around);
  const { result } = renderHook(
    () => {
      useQuery(shown);
      return useLiveState();
    },
    { wrapper: ({ children }) => createElement(QueryClientProvider, { client }, children) },
  );
  const comesTo = (state: LiveState): Promise<void> => waitFor(() => expect(result.current).toEqual(state));
  const ask = (): Promise<void> => act(() => client.refetchQueries({ queryKey: ["shown"] }));
  const reconnecting: LiveState = { state: "reconnecting", everySeconds: 5 };

  await comesTo({ state: "connecting" });
  write('id: e-1\nevent: hello\ndata: {"resumed":true}\n\n');
  await comesTo({ state: "live" });
  // An hour in which nothing happens.
  now += 3_600_000;
  const heard = now;
  write(": davit lives\n\n");
  await waitFor(() => expect(said).toContainEqual({ kind: "events", events: [], lastId: "e-1" }));
  await comesTo({ state: "live" });
  now += 10_000;
  answers = false;
  breakOff(); // at which everything is asked for
  await comesTo({ state: "lost", since: heard });

  answers = true;
  now += 10_000;
  const asked = now;
  await ask();
  await comesTo(reconnecting);
  answers = false;
  now += 10_000;
  await ask();
  await comesTo({ state: "lost", since: asked });

  // It tells of changes again: then only what it told of, and could not be had, is stale.
  goOn();
  now += 10_000;
  await waitFor(() => write('id: e-2\nevent: hello\ndata: {"resumed":true}\n\n'));
  answers = true;
  await ask();
  await comesTo({ state: "live" });
  const had = now;
  answers = false;
  now += 10_000;
  await ask();
  await comesTo({ state: "lost", since: had });
  answers = true;
  await ask();
  await comesTo({ state: "live" });
  end();
});
