// The time of day for texts such as "3 min ago": one timer for all of them, and none while there are none.
import { useState, useSyncExternalStore } from "react";
import { onTimeJump, timeNow } from "../api/clock";

const every = 5_000;
let now = timeNow();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = timeNow();
  for (const each of listeners) each();
}

// Also while nothing shows a time: what comes next begins with the right one, as it may ask for what it reckons from it.
onTimeJump(tick);

function listen(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = timeNow();
    timer = setInterval(tick, every);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
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
