import { useSyncExternalStore } from "react";

function useMedia(condition: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(condition);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => window.matchMedia(condition).matches,
  );
}

// Room for a table, or cards.
export const useIsWide = (): boolean => useMedia("(min-width: 640px)");

// Room for the navigation beside the page: Tailwind's md.
export const useHasSide = (): boolean => useMedia("(min-width: 768px)");
