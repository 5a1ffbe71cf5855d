// @vitest-environment jsdom
import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import type { Around, Channel } from "./link";
import { keepLinked } from "./live";

function shown(persisted: boolean): void {
  dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
}

// As a browser's: what is said on it after its end throws.
function channel(): Channel {
  let closed = false;
  return {
    onmessage: null,
    postMessage: () => {
      if (closed) throw new Error("Channel is closed");
    },
    close: () => {
      closed = true;
    },
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
