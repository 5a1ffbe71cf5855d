// The keys by which a browser scrolls act on what has the focus and on what is around it. Here the page scrolls and not the
// document, so where nothing in particular has the focus, the page's scroller gets it as soon as such a key is struck: the
// key then does what it always does. Not before: whoever has just come tabs from the beginning, past the navigation.
import { useEffect } from "react";

const scrolls = new Set(["PageDown", "PageUp", "Home", "End", "ArrowDown", "ArrowUp", " "]);

// What scrolls a page is marked by `data-scroll` and takes the focus (tabIndex -1). Of two, one within the other, it is the
// inner one: where that has come to its end, the key moves the outer one.
export function useScrollKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!scrolls.has(event.key) || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      const at = document.activeElement;
      const isNowhere = at === null || at === document.body || at.tagName === "MAIN";
      if (!isNowhere || document.querySelector("dialog[open]")) return;
      [...document.querySelectorAll<HTMLElement>("main [data-scroll]")].at(-1)?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
