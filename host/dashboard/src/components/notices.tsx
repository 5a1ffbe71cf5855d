// What came of an act: a line at the bottom that a screen reader says, gone after a while, unless it has to be read.
import { useEffect, useSyncExternalStore } from "react";
import { Button } from "./button";

interface Notice {
  id: number;
  tone: "good" | "bad";
  text: string;
  about: string | null;
}

let notices: Notice[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

// `about`: what it changes the state of. Such a notice stays until it is dismissed, or the next one about the same takes its
// place.
export function notify(tone: Notice["tone"], text: string, about: string | null = null): void {
  const others = notices.filter((notice) => about === null || notice.about !== about);
  change([...others.slice(-2), { id: ++lastId, tone, text, about }]);
}

function dismiss(id: number): void {
  change(notices.filter((notice) => notice.id !== id));
}

function Line({ notice }: { notice: Notice }) {
  useEffect(() => {
    // A failure stays until it was read.
    if (notice.tone === "bad" || notice.about !== null) return;
    const timer = setTimeout(() => dismiss(notice.id), 5_000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div
      className={`tone flex items-center gap-2 rounded-lg border py-1 pr-1 pl-3 text-sm shadow-lg ${notice.tone === "good" ? "[--tone:var(--good)]" : "[--tone:var(--bad)]"}`}
    >
      <span className="wrap-anywhere">{notice.text}</span>
      <Button look="quiet" icon="close" aria-label="Dismiss" onClick={() => dismiss(notice.id)} />
    </div>
  );
}

export function Notices() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <div
      role="status"
      aria-live="polite"
      className="fixed right-4 bottom-20 left-4 z-20 flex flex-col items-end gap-2 empty:hidden md:bottom-4 md:left-auto md:max-w-md"
    >
      {shown.map((notice) => (
        <Line key={notice.id} notice={notice} />
      ))}
    </div>
  );
}
