// How what is shown stays true: the server tells of changes (link.ts), and they are worked into what was asked before
// (changes.ts). While it does not, everything is asked for again and again. Nothing else knows.
import {
  type InfiniteData,
  type QueryClient,
  type QueryKey,
  type QueryState,
  type UseInfiniteQueryOptions,
  type UseInfiniteQueryResult,
  type UseQueryOptions,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { Changes, mostLivePages } from "./changes";
import { ApiError } from "./client";
import { timeThere } from "./clock";
import { type Around, Link, type LinkState, browser } from "./link";

// How soon a change is seen while nobody tells of it. "quick" for what one watches work, "slow" for what hardly ever
// changes.
export type Pace = "quick" | "usual" | "slow";

const milliseconds: Record<Pace, number> = { quick: 2_000, usual: 5_000, slow: 15_000 };

// ---- the link to the server

let link: Link | null = null;
let linkState: LinkState = "connecting";
let heardAt = 0; // when the server was last heard before the link went down: milliseconds
const listeners = new Set<() => void>();
const followed = new Map<string, number>(); // tasks, by how many places that show their transcript

function become(state: LinkState, client: QueryClient): void {
  const wasUp = linkState === "up";
  linkState = state;
  for (const listener of listeners) listener();
  if (wasUp === (state === "up")) return;
  // Whether it is asked for again and again is looked at anew; what may have been missed is asked for now.
  for (const query of client.getQueryCache().getAll())
    for (const observer of query.observers) observer.setOptions(observer.options);
  if (wasUp) void client.invalidateQueries();
}

// Once, around everything that is shown while somebody is signed in.
export function useLink(): void {
  const client = useQueryClient();
  useEffect(() => keepLinked(client, browser), [client]);
}

// Returns what ends it. A page that is left ends its link. One that comes back as it was (by Back, out of the browser's
// memory) has another one, and asks anew for all it shows, as it was told of nothing meanwhile.
export function keepLinked(client: QueryClient, around: () => Around): () => void {
  const changes = new Changes(client);
  const open = (): Link => {
    const made: Link = new Link(
      around(),
      (events) => changes.take(events),
      (state) => {
        heardAt = Math.max(heardAt, made.heardAt);
        become(state, client);
      },
    );
    link = made;
    made.follow([...followed.keys()]);
    return made;
  };
  let mine = open();
  const leave = (): void => mine.leave();
  const comeBack = (event: PageTransitionEvent): void => {
    if (!event.persisted) return;
    mine.leave();
    become("connecting", client);
    mine = open();
    void client.invalidateQueries();
  };
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
  return () => {
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", comeBack);
    mine.leave();
    changes.stop();
    link = null;
    linkState = "connecting";
    heardAt = 0;
  };
}

// Lines of the task's transcript are told as they are said, for as long as this is shown.
export function useFollow(taskId: string): void {
  useEffect(() => {
    const count = (by: number): void => {
      const places = (followed.get(taskId) ?? 0) + by;
      if (places > 0) followed.set(taskId, places);
      else followed.delete(taskId);
      link?.follow([...followed.keys()]);
    };
    count(1);
    return () => count(-1);
  }, [taskId]);
}

// ---- queries

type Asked = Pick<QueryState, "status" | "dataUpdatedAt" | "error" | "fetchFailureCount" | "fetchFailureReason">;

// Of a query: its newest attempt got no answer, or none that it can use. A refusal (no such task, not for readers) is an answer:
// what else is on the screen is as true as before.
function isUnanswered({ status, fetchFailureCount, fetchFailureReason, error }: Asked): boolean {
  const reason = fetchFailureReason ?? error;
  const wasRefused = reason instanceof ApiError && reason.status >= 400 && reason.status < 500;
  return (fetchFailureCount > 0 || status === "error") && !wasRefused;
}

// What it shows was asked for anew, because it had changed or may have, and that could not be had.
function isBehind(state: Asked): boolean {
  return state.status === "error" && state.dataUpdatedAt > 0 && isUnanswered(state);
}

// False: no need to.
function refetchEvery(pace: Pace, state: Asked): number | false {
  return linkState === "up" && !isBehind(state) ? false : milliseconds[pace];
}

// A query that is kept true while it is on the screen and the page is looked at.
export function useLive<T>(
  options: UseQueryOptions<T, Error, T, QueryKey>,
  pace: Pace = "usual",
): UseQueryResult<T> {
  return useQuery({ ...options, refetchInterval: ({ state }) => refetchEvery(pace, state) });
}

const untoldEvery = 5_000;

// The pages of a list, kept true likewise while there are few of them: each page is a question.
export function useLivePages<Page>(
  options: UseInfiniteQueryOptions<Page, Error, InfiniteData<Page>, readonly unknown[], string | undefined>,
  { isTold = true } = {}, // by events; else it is asked for all the time
): UseInfiniteQueryResult<InfiniteData<Page>> {
  return useInfiniteQuery({
    ...options,
    refetchInterval: (asked) => {
      if ((asked.state.data?.pages.length ?? 0) > mostLivePages) return false;
      return refetchEvery("usual", asked.state) || (!isTold && untoldEvery);
    },
  });
}

// ---- how true it is

export type LiveState =
  | { state: "connecting" }
  | { state: "live" } // changes are told
  | { state: "reconnecting"; everySeconds: number } // they are to be told again; until then it is asked for
  | { state: "polling"; everySeconds: number } // the server does not tell any, so it is asked for
  // What is on the screen was true then, and may not be any more.
  | { state: "lost"; since: number }; // by davit's clock

// Since when what is on the screen may not be true any more, in milliseconds: null where it is true, 0 where nothing has come yet.
// While changes are told it is true, however long ago it was asked for, but for what is behind. While they are not, it may be
// untrue as soon as an attempt gets no answer: it was true when the server was last heard, or of the newest answer after that.
function staleSince(shown: Asked[]): number | null {
  const newest = Math.max(0, ...shown.map((state) => state.dataUpdatedAt));
  if (newest === 0) return 0; // the page itself says so where nothing will
  if (linkState !== "up") return shown.some(isUnanswered) ? Math.max(newest, heardAt) : null;
  const left = shown.filter(isBehind);
  return left.length > 0 ? Math.min(...left.map((state) => state.dataUpdatedAt)) : null;
}

// The state of everything on the screen.
export function useLiveState(): LiveState {
  const cache = useQueryClient().getQueryCache();
  const snapshot = useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      const unsubscribe = cache.subscribe(changed);
      return () => {
        listeners.delete(changed);
        unsubscribe();
      };
    },
    () => {
      const since = staleSince(cache.getAll().filter((query) => query.isActive()).map((query) => query.state));
      return since === null ? linkState : since === 0 ? "connecting" : `lost ${since}`;
    },
  );
  const everySeconds = milliseconds.usual / 1000;
  switch (snapshot) {
    case "connecting":
      return { state: "connecting" };
    case "up":
      return { state: "live" };
    case "down":
      return { state: "reconnecting", everySeconds };
    case "refused":
      return { state: "polling", everySeconds };
    default:
      return { state: "lost", since: timeThere(Number(snapshot.slice("lost ".length))) };
  }
}
