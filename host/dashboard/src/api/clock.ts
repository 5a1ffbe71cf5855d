// The time of day by davit's clock, as its answers tell it: what it says of times is by that, and the clock of whoever looks may be wrong.

// As `Date` headers have whole seconds and answers take their time, less than that is no difference. Milliseconds.
const accuracy = 5_000;

let ahead = 0; // davit's clock, of the one here: milliseconds
const listeners = new Set<() => void>();

// What davit's clock says when the one here says `here`.
export function timeThere(here: number): number {
  return here + ahead;
}

export function timeNow(): number {
  return timeThere(Date.now());
}

// Calls `listener` whenever that jumps.
export function onTimeJump(listener: () => void): void {
  listeners.add(listener);
}

// An answer of davit came, with that `Date` header, to what was asked at `asked` by the clock here.
export function hearTime(date: string | null, asked: number): void {
  const there = Date.parse(date ?? "") + 500; // in the middle of its second
  const answered = Date.now();
  // Nothing is to be learnt from what took so long (the clock here may have been set, or the machine have slept) or is no date.
  if (answered < asked || answered - asked > accuracy || Number.isNaN(there)) return;
  const found = there - (asked + answered) / 2;
  if (Math.abs(found - ahead) < accuracy) return;
  ahead = Math.abs(found) < accuracy ? 0 : found;
  for (const listener of listeners) listener();
}
