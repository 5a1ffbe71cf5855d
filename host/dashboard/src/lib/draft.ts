// What somebody has typed into a question and not sent yet. It outlasts the page, as when the session ends meanwhile, until it is sent
// or the question closed by hand: in this tab, and for whoever typed it.
import { useState } from "react";

const prefix = "davit.draft ";
const keyOf = (by: string, about: string): string => prefix + JSON.stringify([by, about]);

export function draft(by: string, about: string): string {
  try {
    return sessionStorage.getItem(keyOf(by, about)) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

function keep(by: string, about: string, text: string): void {
  try {
    if (text === "") sessionStorage.removeItem(keyOf(by, about));
    else sessionStorage.setItem(keyOf(by, about), text);
  } catch {
    // Then it lasts as long as the page.
  }
}

// Whoever signs out leaves nothing behind.
export function dropDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
  } catch {
    // There are none.
  }
}

export function useDraft(by: string, about: string): { text: string; found: boolean; type: (text: string) => void; drop: () => void } {
  const [begun] = useState(() => draft(by, about));
  const [text, setText] = useState(begun);
  return {
    text,
    found: begun !== "" && text === begun, // from before, and untouched
    type: (typed) => {
      setText(typed);
      keep(by, about, typed);
    },
    drop: () => keep(by, about, ""),
  };
}
