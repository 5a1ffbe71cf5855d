// How what is shown stays true: today by asking again. The one place to change when the server tells of changes itself.
import {
  type QueryKey,
  type UseQueryOptions,
  type UseQueryResult,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

// How soon a change is seen. "quick" for what one watches work, "slow" for what hardly ever changes.
export type Pace = "quick" | "usual" | "slow";

const milliseconds: Record<Pace, number> = { quick: 2_000, usual: 5_000, slow: 15_000 };

// For queries that are not asked by useLive.
export function refetchEvery(pace: Pace): number {
  return milliseconds[pace];
}

// A query that is kept true while it is on the screen and the page is looked at.
export function useLive<T>(
  options: UseQueryOptions<T, Error, T, QueryKey>,
  pace: Pace = "usual",
): UseQueryResult<T> {
  return useQuery({ ...options, refetchInterval: milliseconds[pace] });
}

export type LiveState =
  | { state: "connecting" }
  | { state: "live"; everySeconds: number }
  // The last answer is older than it should be: what is on the screen may not be true any more.
  | { state: "lost"; since: number };

// The state of everything on the screen: lost as soon as the newest attempt of a query got no answer at all.
export function useLiveState(): LiveState {
  const cache = useQueryClient().getQueryCache();
  const snapshot = useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => {
      let newest = 0;
      let lost = false;
      for (const query of cache.getAll()) {
        if (!query.isActive()) continue;
        newest = Math.max(newest, query.state.dataUpdatedAt);
        lost ||= query.state.fetchFailureCount > 0 || query.state.status === "error";
      }
      return newest === 0 ? "connecting" : lost ? `lost ${newest}` : "live";
    },
  );
  // Nothing has come yet: the page itself says so where nothing will.
  if (snapshot === "connecting") return { state: "connecting" };
  if (snapshot === "live") return { state: "live", everySeconds: milliseconds.usual / 1000 };
  return { state: "lost", since: Number(snapshot.slice("lost ".length)) };
}
