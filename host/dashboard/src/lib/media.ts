import { useSyncExternalStore } from "react";

// A hook that goes by that condition. The query is made once, by the first who asks: a page without a window never does.
function mediaHook(condition: string): () => boolean {
  let made: MediaQueryList | undefined;
  const query = (): MediaQueryList => (made ??= window.matchMedia(condition));
  const listen = (listener: () => void): (() => void) => {
    query().addEventListener("change", listener);
    return () => query().removeEventListener("change", listener);
  };
  const matches = (): boolean => query().matches;
  return () => useSyncExternalStore(listen, matches);
}

// Room for a table, or cards.
export const useIsWide = mediaHook("(min-width: 640px)");

// Room for the navigation beside the page: Tailwind's md.
export const useHasSide = mediaHook("(min-width: 768px)");

// Paper has no scrolling: a list is made with all that is loaded of it.
export const useIsPrinting = mediaHook("print");
