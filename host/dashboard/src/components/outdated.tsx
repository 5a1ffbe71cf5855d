// What another filter found stays in sight until what is wanted now is there: dimmed, and nothing of it can be acted on.
import { type ReactNode, useState } from "react";

export function Outdated({ is, className = "", children }: { is: boolean; className?: string; children: ReactNode }) {
  return (
    <div className={`relative ${className}`} aria-busy={is}>
      {is && (
        <p role="status" className="absolute top-2 right-3 z-20 rounded-md border border-line bg-surface px-2 py-0.5 text-sm shadow-card">
          Loading…
        </p>
      )}
      <div inert={is} className={`${className} ${is ? "opacity-40" : ""}`}>
        {children}
      </div>
    </div>
  );
}

// Whether what a query shows is of another filter than this one. That the period of one has moved on by a minute makes it no other.
export function useIsOutdated(query: { isPlaceholderData: boolean }, filter: string): boolean {
  const [shown, setShown] = useState(filter);
  if (!query.isPlaceholderData && shown !== filter) setShown(filter);
  return query.isPlaceholderData && shown !== filter;
}
