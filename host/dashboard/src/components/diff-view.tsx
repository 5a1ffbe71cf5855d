// What has changed between two texts. A line that came or went has a sign and is told as such; the colour repeats it.
import { useMemo } from "react";
import { diffLines, folded } from "../lib/diff";
import { counted } from "../lib/format";

export function DiffView({ before, after, name }: { before: string; after: string; name: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const changed = lines.filter((line) => line.kind !== "same");
  if (changed.length === 0) return <p className="px-4 py-3 text-sm text-muted">Not a line has changed.</p>;
  const added = changed.filter((line) => line.kind === "added").length;
  return (
    <>
      <p className="border-b border-line px-4 py-2 text-sm text-muted">
        {counted(added, "line")} added, {counted(changed.length - added, "line")} removed
      </p>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div tabIndex={0} role="region" aria-label={name} className="max-h-[34rem] overflow-auto py-1 font-mono text-xs leading-5">
        {folded(lines).map((part, index) => {
          if (part.kind === "gap")
            return (
              <p key={index} className="bg-raised px-4 text-muted">
                ⋯ {counted(part.count, "line")} as before
              </p>
            );
          if (part.kind === "same")
            return (
              <p key={index} className="line">
                <span aria-hidden="true"> </span>
                <span>{part.text}</span>
              </p>
            );
          const Line = part.kind === "added" ? "ins" : "del";
          return (
            <p key={index} className={`line ${part.kind === "added" ? "added" : "removed"}`}>
              <span aria-hidden="true">{part.kind === "added" ? "+" : "−"}</span>
              <Line>{part.text}</Line>
            </p>
          );
        })}
      </div>
    </>
  );
}
