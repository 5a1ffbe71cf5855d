// How one left a page: how far it was scrolled, which row was chosen. Kept by the entry of the browser's history for as long as
// somebody is signed in, so that Back finds the page as it was.
import { useMatch, useRouterState } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";

declare module "@tanstack/react-router" {
  interface HistoryState {
    // The entry of the history that this one is to look like at first.
    asIn?: string;
  }
}

export interface ListSeen {
  search: object; // what stood behind the "?"
  entry: string;
}

const mostEntries = 100;
const entries = new Map<string, Map<string, unknown>>(); // by the key of the entry, the one touched longest ago first
const lists = new Map<string, ListSeen>(); // by path

export function forgetPlaces(): void {
  entries.clear();
  lists.clear();
}

function keepIn(entry: string, name: string, value: unknown): void {
  const kept = entries.get(entry) ?? new Map<string, unknown>();
  kept.set(name, value);
  entries.delete(entry);
  entries.set(entry, kept);
  const [oldest] = entries.keys();
  if (oldest !== undefined && entries.size > mostEntries) entries.delete(oldest);
}

// The entry that the page around belongs to. The address changes before the page does: one that is being left keeps its own.
function useEntry(): string {
  const path = useMatch({ strict: false, select: (match) => match.pathname });
  const at = useRouterState({ select: ({ location }) => location.pathname });
  const key = useRouterState({ select: ({ location }) => location.state.__TSR_key ?? "" });
  const [entry, setEntry] = useState(key);
  if (at !== path || entry === key) return entry;
  setEntry(key);
  return key;
}

// What is kept by that name of the entry around, if anything is, and what keeps another value.
export function usePlace<T>(name: string): { kept: () => T | undefined; keep: (value: T) => void } {
  const entry = useEntry();
  const asIn = useRouterState({ select: ({ location }) => location.state.asIn ?? "" });
  const kept = useCallback(
    () => (entries.get(entry)?.get(name) ?? entries.get(asIn)?.get(name)) as T | undefined,
    [entry, asIn, name],
  );
  const keep = useCallback((value: T): void => keepIn(entry, name, value), [entry, name]);
  return { kept, keep };
}

// This page is the list that pages of one of its things lead back to.
export function useListSeen(path: string, search: object): void {
  const entry = useEntry();
  useEffect(() => void lists.set(path, { search, entry }), [path, search, entry]);
}

// The list of that path as it was seen last, or null.
export function listSeen(path: string): ListSeen | null {
  return lists.get(path) ?? null;
}
