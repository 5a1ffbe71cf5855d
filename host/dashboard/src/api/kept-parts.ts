// What an answer has in common with the one before stays the same objects, so that nothing is drawn for it anew. The query library's own
// way of doing so gives objects their members one by one, by which one that is named __proto__ is lost: nobody would see it, and approve it.
import { ExactNumber } from "./exact-json";

const deepest = 500; // further down what is new is taken as it is

type Members = Record<string, unknown>;

function isPlain(value: unknown): value is Members {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}

// `now`, with what is alike in `before` taken from there; `before` where all of it is. Neither is changed.
export function withKeptParts(before: unknown, now: unknown, depth = 0): unknown {
  if (before === now || depth > deepest) return now;
  if (Array.isArray(before) && Array.isArray(now)) {
    const items = now.map((item: unknown, index) => withKeptParts(before[index], item, depth + 1));
    return items.length === before.length && items.every((item, index) => item === before[index]) ? before : items;
  }
  if (before instanceof ExactNumber && now instanceof ExactNumber) return before.source === now.source ? before : now;
  if (!isPlain(before) || !isPlain(now)) return now;
  const own = (name: string): unknown => (Object.hasOwn(before, name) ? before[name] : undefined);
  const members = Object.entries(now).map(([name, value]) => [name, withKeptParts(own(name), value, depth + 1)] as const);
  const isSame =
    members.length === Object.keys(before).length &&
    members.every(([name, value]) => Object.hasOwn(before, name) && value === before[name]);
  return isSame ? before : Object.fromEntries(members);
}
