// Lying bars with their numbers beside them: a chart that is its own table.
import type { ReactNode } from "react";

export interface Bar {
  key: string;
  name: ReactNode;
  value: number;
  label: string;
  note?: string;
}

export function Bars({ bars, caption, head }: { bars: Bar[]; caption: string; head: [string, string] }) {
  const most = Math.max(...bars.map((bar) => bar.value), 0);
  return (
    <table className="w-full table-fixed text-sm">
      <caption className="sr-only">{caption}</caption>
      <colgroup>
        <col className="w-[38%] sm:w-[26%]" />
        <col />
      </colgroup>
      <thead className="sr-only">
        <tr>
          <th scope="col">{head[0]}</th>
          <th scope="col">{head[1]}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.key}>
            <th scope="row" className="truncate py-1 pr-3 pl-4 text-left font-normal">
              {bar.name}
            </th>
            <td className="py-1 pr-4">
              <div className="flex items-center gap-2">
                <svg className="h-4 min-w-0 flex-1" preserveAspectRatio="none" viewBox="0 0 100 1" aria-hidden="true">
                  <rect width="100" height="1" className="fill-sunken" />
                  <rect width={most > 0 ? Math.max((bar.value / most) * 100, bar.value > 0 ? 0.6 : 0) : 0} height="1" className="fill-accent" />
                </svg>
                <span className="w-20 text-right font-medium">{bar.label}</span>
                {bar.note && <span className="hidden w-28 text-right text-xs text-muted sm:block">{bar.note}</span>}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// Standing bars for hours or days, with the part that is bad at their foot; each says its time and number when one
// points at it, and all of them are told to a reader.
export function Columns({
  columns,
  summary,
}: {
  columns: { key: string; value: number; bad: number; title: string }[];
  summary: string;
}) {
  const most = Math.max(...columns.map((column) => column.value), 0);
  const width = 100 / Math.max(columns.length, 1);
  return (
    <svg role="img" aria-label={summary} viewBox="0 0 100 30" preserveAspectRatio="none" className="h-28 w-full">
      {columns.map((column, index) => {
        const height = most > 0 ? (column.value / most) * 29 : 0;
        const badHeight = column.value > 0 ? (column.bad / column.value) * height : 0;
        return (
          <g key={column.key}>
            <title>{column.title}</title>
            <rect x={index * width} y={0} width={width} height={30} fill="transparent" />
            <rect
              x={index * width + width * 0.14}
              y={30 - Math.max(height, 0.5)}
              width={width * 0.72}
              height={Math.max(height, 0.5)}
              className={column.value > 0 ? "fill-accent" : "fill-line"}
            />
            {badHeight > 0 && (
              <rect
                x={index * width + width * 0.14}
                y={30 - badHeight}
                width={width * 0.72}
                height={badHeight}
                className="fill-bad"
              />
            )}
          </g>
        );
      })}
    </svg>
  );
}
