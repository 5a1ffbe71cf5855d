// What is typed is one choice, though it comes letter by letter: its first change is an entry of the browser's history, so that
// Back undoes it, and those that follow stand in its place until whoever types pauses or comes back to the field. What is chosen
// at one go, as of a select, is an entry each time.
import { useState } from "react";

const pause = 2_000; // milliseconds

export interface Typing {
  // Of a change that is made now: whether it stands in the place of the one before it.
  next: () => boolean;
  // What comes next is another choice.
  end: () => void;
}

export function makeTyping(now: () => number = () => performance.now()): Typing {
  let last: number | null = null; // when
  return {
    next: () => {
      const before = last;
      last = now();
      return before !== null && last - before < pause;
    },
    end: () => {
      last = null;
    },
  };
}

export function useTyping(): Typing {
  const [typing] = useState(() => makeTyping());
  return typing;
}
