import { type ReactNode, useLayoutEffect, useRef } from "react";
import { usePlace } from "../lib/place";

// A part of a page with its heading.
export function Card({
  title,
  note,
  aside,
  children,
  className = "",
}: {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`card min-w-0 ${className}`}>
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2">
        <h2 className="text-sm font-semibold wrap-anywhere">{title}</h2>
        {note && <span className="text-xs wrap-anywhere text-muted">{note}</span>}
        {aside && <div className="ml-auto flex items-center gap-2">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

// One number with its name; `note` says of what.
export function Stat({ name, value, note }: { name: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="card flex min-w-0 flex-col gap-0.5 px-4 py-3">
      <span className="eyebrow">{name}</span>
      <span className="text-2xl leading-tight font-semibold tracking-tight">{value}</span>
      {note && <span className="text-xs text-muted">{note}</span>}
    </div>
  );
}

// Names with their values, as many columns as fit.
export function Facts({ children }: { children: ReactNode }) {
  return (
    <dl className="grid grid-cols-[repeat(auto-fill,minmax(8.25rem,1fr))] gap-x-4 gap-y-3 px-4 py-3">{children}</dl>
  );
}

// `wide`: takes the room of two, for what would be broken in the middle of a word.
export function Fact({ name, wide = false, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={wide ? "col-span-2 min-w-0" : "min-w-0"}>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="wrap-anywhere">{children}</dd>
    </div>
  );
}

// The head of a page: its heading, and what one can do with all of it.
export function PageHead({ title, note, children }: { title: string; note?: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
      {note && <span className="text-sm text-muted">{note}</span>}
      {children && <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>}
    </div>
  );
}

// A page that scrolls as a whole, and is where it was when one comes back to it.
export function Page({ children }: { children: ReactNode }) {
  const scroller = useRef<HTMLDivElement>(null);
  const { kept, keep } = usePlace<number>("page");
  useLayoutEffect(() => {
    const offset = kept();
    if (scroller.current && offset !== undefined) scroller.current.scrollTop = offset;
  }, [kept]);
  return (
    <div
      ref={scroller}
      className="h-full overflow-y-auto outline-none"
      data-scroll
      tabIndex={-1}
      onScroll={(event) => keep(event.currentTarget.scrollTop)}
    >
      <div className="mx-auto flex max-w-[88rem] flex-col gap-4 p-4 md:p-6">{children}</div>
    </div>
  );
}
