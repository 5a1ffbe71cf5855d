import { useSyncExternalStore } from "react";

// Room for a table, or cards.
const wide = "(min-width: 640px)";

export function useIsWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(wide);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => window.matchMedia(wide).matches,
  );
}
