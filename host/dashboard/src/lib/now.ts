// The time of day for texts such as "3 min ago": one timer for all of them, and none while there are none.
import { useState, useSyncExternalStore } from "react";
import { onTimeJump, timeNow } from "../api/clock";

const every = 5_000;
let now = timeNow();
let stop: (() => void) | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = timeNow();
  for (const each of listeners) each();
}

function start(): () => void {
  now = timeNow();
  const timer = setInterval(tick, every);
  const ignore = onTimeJump(tick);
  return () => {
    clearInterval(timer);
    ignore();
  };
}

function listen(listener: () => void): () => void {
  if (listeners.size === 0) stop = start();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop?.();
  };
}

export function useNow(): number {
  return useSyncExternalStore(listen, () => now);
}

// When the filter was set that an address holds, or the page opened. Periods end there: if they moved on with the time, each minute would be
// another list, asked for from its first page, and whoever had scrolled down would be thrown back.
export function useSetAt(filter: string): number {
  const [kept, keep] = useState(() => ({ filter, at: timeNow() }));
  if (kept.filter === filter) return kept.at;
  const set = { filter, at: timeNow() };
  keep(set);
  return set.at;
}
