// Light, dark, or what the system says. Kept by this browser; styles.css does the rest.
import { useSyncExternalStore } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "davit.theme";
const listeners = new Set<() => void>();

function kept(): Theme {
  try {
    const value = localStorage.getItem(key);
    return themes.find((theme) => theme === value) ?? "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

let current = kept();

function show(): void {
  if (current === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = current;
}
show();

export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
  return [theme, setTheme];
}

function setTheme(theme: Theme): void {
  current = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Then it lasts until the page is closed.
  }
  show();
  for (const listener of listeners) listener();
}
