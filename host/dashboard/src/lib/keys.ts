// Keyboard shortcuts: single keys, and "g t" for two in a row. Never while one types, never with Ctrl, Alt or Meta. They can
// be switched off: who speaks to his computer, or strikes keys unawares, would set them off without meaning to.
import { useLayoutEffect, useRef, useSyncExternalStore } from "react";

// Every key that acts somewhere, as the help lists it; those that bring to a page stand with the pages.
export const keyMeanings = {
  "/": { what: "Search tasks", acts: false },
  j: { what: "The next task of a list", acts: false },
  k: { what: "The one before it", acts: false },
  Enter: { what: "Open the chosen task", acts: false },
  x: { what: "Select the chosen task in the list of tasks, or not", acts: true },
  a: { what: "Approve the open or chosen task, if it waits", acts: true },
  r: { what: "Reject it", acts: true },
  "?": { what: "This help", acts: false },
} as const satisfies Record<string, { what: string; acts: boolean }>; // acts: not for whoever only looks

export type Shortcuts = { [Key in keyof typeof keyMeanings | `g ${string}`]?: () => void };

const secondKeyWithin = 1_000;
const key = "davit.shortcuts";
const listeners = new Set<() => void>();

function kept(): boolean {
  try {
    return localStorage.getItem(key) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

let on = kept();

function switchShortcuts(next: boolean): void {
  on = next;
  try {
    localStorage.setItem(key, next ? "on" : "off");
  } catch {
    // Then it lasts until the page is closed.
  }
  for (const listener of listeners) listener();
}

// Whether they act, and what switches them.
export function useShortcutSwitch(): [boolean, (on: boolean) => void] {
  const isOn = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => on,
  );
  return [isOn, switchShortcuts];
}

export function isTyping(target: EventTarget | null): boolean {
  // Nothing is typed into a box that is ticked.
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

// What Enter does by itself: a link is followed, a button pressed.
function isPressed(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("a, button, summary") !== null;
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  // Before it is painted: as soon as one sees what a key acts on, the key does.
  useLayoutEffect(() => {
    latest.current = shortcuts;
  });
  useLayoutEffect(() => {
    let first: { key: string; at: number } | null = null;
    const onKey = (event: KeyboardEvent): void => {
      if (!on || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
      if (event.key === "Enter" && isPressed(event.target)) return;
      // A dialog has the keyboard to itself.
      if (document.querySelector("dialog[open]")) return;
      // Behind a "g" a key is the second of two, for every part of the page.
      const isSecond = first?.key === "g" && event.timeStamp - first.at < secondKeyWithin;
      const act = latest.current[(isSecond ? `g ${event.key}` : event.key) as keyof Shortcuts];
      first = { key: event.key, at: event.timeStamp };
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
