// JSON as a tree whose branches are made when they are opened, so that a large document costs what one looks at.
import { useState } from "react";
import { ExactNumber } from "../api/exact-json";
import type { Json } from "../api/schema";
import { Copy } from "./copy";
import { Wide } from "./wide";

const mostShown = 200; // members of one branch at first
const longText = 400; // characters of a text at first

export function JsonTree({ value, what }: { value: Json; what: string }) {
  return (
    <div className="relative">
      <Wide name={what} role="group" className="[&>.edge]:pt-8">
        <div className="py-2 pr-8 pl-2 font-mono text-xs leading-5">
          <Branch value={value} depth={0} />
        </div>
      </Wide>
      <div className="absolute top-1 right-1">
        <Copy text={JSON.stringify(value, null, 2)} what={what} />
      </div>
    </div>
  );
}

function Branch({ name, value, depth }: { name?: string; value: Json; depth: number }) {
  const [open, setOpen] = useState(depth < 2);
  const [most, setMost] = useState(mostShown);
  const label = name === undefined ? null : <span className="text-accent">{name}: </span>;
  const exact: unknown = value;
  if (exact instanceof ExactNumber) {
    return (
      <div className="pl-4 whitespace-pre-wrap wrap-anywhere">
        {label}
        <span className="text-plum">{exact.source}</span>
      </div>
    );
  }
  if (value === null || typeof value !== "object") {
    return (
      <div className="pl-4 whitespace-pre-wrap wrap-anywhere">
        {label}
        <Leaf value={value} />
      </div>
    );
  }
  const members: [string, Json][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  const brackets = Array.isArray(value) ? "[]" : "{}";
  if (members.length === 0) {
    return (
      <div className="pl-4">
        {label}
        {brackets}
      </div>
    );
  }
  return (
    <div>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="min-h-6 rounded text-left hover:bg-sunken">
        <span aria-hidden="true" className="inline-block w-4 text-center text-muted">
          {open ? "▾" : "▸"}
        </span>
        {label}
        <span className="text-muted">
          {brackets[0]}
          {!open && "…"}
          {!open && brackets[1]} {members.length} {members.length === 1 ? "member" : "members"}
        </span>
      </button>
      {open && (
        <div className="ml-2 border-l border-line pl-2">
          {members.slice(0, most).map(([key, member]) => (
            <Branch key={key} name={key} value={member} depth={depth + 1} />
          ))}
          {members.length > most && (
            <button type="button" className="link ml-4 min-h-6" onClick={() => setMost(most + mostShown)}>
              {members.length - most} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: null | boolean | number | string }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") return <span className="text-plum">{String(value)}</span>;
  if (whole || value.length <= longText) return <span className="text-good">{JSON.stringify(value)}</span>;
  return (
    <>
      <span className="text-good">{JSON.stringify(value.slice(0, longText))}…</span>{" "}
      <button type="button" className="link" onClick={() => setWhole(true)}>
        all {value.length} characters
      </button>
    </>
  );
}
