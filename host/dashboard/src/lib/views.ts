// Views of a list that somebody has given a name: what stands behind the "?" of its address. Kept by this browser; the
// address itself is what one gives to others.
import { useSyncExternalStore } from "react";

export interface View {
  name: string;
  query: string; // "status=failed&agent=planning-agent"
}

const key = "davit.views";
const mostViews = 30;
export const longestName = 60;

function isView(value: unknown): value is View {
  const view = value as Partial<View> | null;
  return typeof view?.name === "string" && view.name !== "" && view.name.length <= longestName && typeof view.query === "string";
}

// What is kept may be of another time, or anybody's who has used this browser.
export function viewsFrom(text: string | null): View[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(kept) ? kept.filter(isView).slice(0, mostViews) : [];
  } catch {
    return [];
  }
}

function kept(): View[] {
  try {
    return viewsFrom(localStorage.getItem(key));
  } catch {
    return []; // a browser that keeps nothing
  }
}

let current = kept();
const listeners = new Set<() => void>();

function become(next: View[]): void {
  current = next;
  try {
    localStorage.setItem(key, JSON.stringify(next));
  } catch {
    // Then they last until the page is closed.
  }
  for (const listener of listeners) listener();
}

export function useViews(): View[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

// One of the same name gives its place to it.
export function keepView(view: View): void {
  const name = view.name.trim().slice(0, longestName);
  if (name === "") return;
  become([...current.filter((each) => each.name !== name), { ...view, name }].slice(-mostViews));
}

export function forgetView(name: string): void {
  become(current.filter((each) => each.name !== name));
}
