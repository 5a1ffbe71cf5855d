// What the compiler makes of JSX: React's own, but that every text passes lib/visible.ts on its way into the page, as a child or as an
// attribute that is read or said. So no place can forget it. What is typed (value), addresses and keys are left as they are.
import { type ElementType, type ReactElement } from "react";
import { Fragment, jsx as make, jsxs as makeAll } from "react/jsx-runtime";
import { visible } from "../lib/visible";

export type { JSX } from "react/jsx-runtime";
export { Fragment };

const read = ["title", "alt", "placeholder", "label", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext"] as const;

// The same object, unless something of it is shown otherwise.
function shown(child: unknown): unknown {
  if (typeof child === "string") return visible(child);
  if (!Array.isArray(child)) return child;
  const given: readonly unknown[] = child;
  let changed: unknown[] | null = null;
  for (const [index, each] of given.entries()) {
    const now = shown(each);
    if (now !== each) (changed ??= [...given])[index] = now;
  }
  return changed ?? given;
}

export function withShown<Props extends object>(props: Props): Props {
  const given = props as Record<string, unknown>;
  let changed: Record<string, unknown> | null = null;
  for (const name of ["children", ...read]) {
    const value = given[name];
    const now = name === "children" ? shown(value) : typeof value === "string" ? visible(value) : value;
    if (now !== value) (changed ??= { ...given })[name] = now;
  }
  return (changed ?? props) as Props;
}

export const jsx = (type: ElementType, props: object, key?: string): ReactElement => make(type, withShown(props), key);
export const jsxs = (type: ElementType, props: object, key?: string): ReactElement => makeAll(type, withShown(props), key);
