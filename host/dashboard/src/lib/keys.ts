// Keyboard shortcuts: single keys, and "g t" for two in a row. Never while one types, never with Ctrl, Alt or Meta.
import { useEffect, useRef } from "react";

export type Shortcuts = Record<string, () => void>;

const secondKeyWithin = 1_000;

export function isTyping(target: EventTarget | null): boolean {
  // Nothing is typed into a box that is ticked.
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    let first: { key: string; at: number } | null = null;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
      // A dialog has the keyboard to itself.
      if (document.querySelector("dialog[open]")) return;
      const both = first && event.timeStamp - first.at < secondKeyWithin ? `${first.key} ${event.key}` : "";
      const act = (both && latest.current[both]) || latest.current[event.key];
      first = { key: event.key, at: event.timeStamp };
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
