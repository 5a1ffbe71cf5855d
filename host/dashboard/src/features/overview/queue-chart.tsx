import { useMemo } from "react";
import { useLiveState } from "../../api/live";
import { carriedOn, withCounts } from "../../api/queue-series";
import type { Overview, QueueSeries } from "../../api/schema";
import { statusName, statusTone, tones } from "../../components/badge";
import { Time } from "../../components/time";
import { Wide } from "../../components/wide";
import { count, exact } from "../../lib/format";
import { useNow } from "../../lib/now";
import { type QueueChart as Chart, type QueueState, box, queueChart, queueStates, summaryOf } from "./queue-depth";

// Told apart without colour, too.
const dashes: Record<QueueState, string> = { queued: "none", running: "7 3", awaiting_approval: "2 3" };

function Line({ state, path }: { state: QueueState; path: string }) {
  return (
    <path
      d={path}
      fill="none"
      strokeWidth="2"
      strokeDasharray={dashes[state]}
      vectorEffect="non-scaling-stroke"
      className={`stroke-[var(--tone)] ${tones[statusTone(state)]}`}
    />
  );
}

const timeFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayAndTimeFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const shortTime = (at: number): string => timeFormat.format(at);
const dayAndTime = (at: number): string => dayAndTimeFormat.format(at);

export function QueueChart({ series, counts }: { series: QueueSeries; counts: Overview["queue"] }) {
  const live = useLiveState();
  const now = useNow();
  // What nobody told of is not drawn: while the link is lost the lines end where it was.
  const lost = live.state === "lost" ? live.since : null;
  const until = lost ?? now;
  const shown = useMemo(
    () => (lost === null ? withCounts(series, counts, until) : carriedOn(series, until)),
    [series, counts, until, lost],
  );
  const present = lost === null ? (shown.points.at(-1)?.last ?? null) : null;
  const chart = queueChart(shown, until, present);
  const start = Date.parse(shown.points[0]?.at ?? shown.start_date);
  const end = Date.parse(shown.end_date);
  const label = shown.bucket === "minute" ? shortTime : dayAndTime;
  const quiet = chart.highest !== null && queueStates.every((state) => chart.highest?.[state] === 0);
  return (
    <div className="p-4 pt-3">
      <ul className="mb-3 flex flex-wrap gap-x-5 gap-y-1 text-sm" aria-label="Lines">
        {queueStates.map((state) => (
          <li key={state} className="flex items-center gap-2">
            <svg viewBox="0 0 24 4" className="h-1 w-6" aria-hidden="true">
              <Line state={state} path="M0 2H24" />
            </svg>
            <span>{statusName(state)}</span>
            <span className="font-semibold">{present ? count(present[state]) : "–"}</span>
          </li>
        ))}
      </ul>
      <div className="flex gap-2">
        <div className="flex h-36 flex-col justify-between text-right text-xs text-muted" aria-hidden="true">
          {[chart.top, chart.top / 2, 0].map((value) => (
            <span key={value} className="leading-none">
              {count(value)}
            </span>
          ))}
        </div>
        <svg
          role="img"
          aria-label={summaryOf(shown, chart, present)}
          viewBox={`0 -0.4 ${box.width} ${box.height + 0.8}`}
          preserveAspectRatio="none"
          className="h-36 min-w-0 flex-1"
        >
          {chart.gaps.map((gap) => (
            // Gaps side by side would show a seam where their edges are smoothed.
            <rect
              key={gap.key}
              x={gap.x}
              y={0}
              width={gap.width}
              height={box.height}
              shapeRendering="crispEdges"
              className="fill-sunken"
            />
          ))}
          {[0, 0.5, 1].map((share) => (
            <path
              key={share}
              d={`M0 ${box.height * share}H${box.width}`}
              className="stroke-line"
              strokeWidth="1"
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {[...queueStates].reverse().map((state) => (
            <Line key={state} state={state} path={chart.paths[state]} />
          ))}
          {chart.columns.map((column) => (
            <rect key={column.key} x={column.x} y={0} width={column.width} height={box.height} fill="transparent">
              <title>{column.title}</title>
            </rect>
          ))}
        </svg>
      </div>
      <div className="mt-1 flex justify-between gap-x-3 text-xs text-muted">
        <span>{label(start)}</span>
        <span>{label(end)}</span>
      </div>
      {lost !== null && (
        <p className="mt-2 text-xs text-wait">
          davit was heard last <Time iso={new Date(lost).toISOString()} />. What has been since is not drawn.
        </p>
      )}
      {chart.highest === null ? (
        <p className="mt-2 text-xs text-muted">Nothing is known of this time.</p>
      ) : (
        // Of a time that was not heard of, nobody can say that.
        quiet && lost === null && <p className="mt-2 text-xs text-muted">Nothing waited and nothing ran.</p>
      )}
      {chart.gaps.length > 0 && (
        <p className="mt-2 text-xs text-muted">
          Where it is shaded davit did not run all of the time, or was started, so that nobody knows.
        </p>
      )}
      <Numbers chart={chart} />
    </div>
  );
}

// The same as a table: a row from each change on.
function Numbers({ chart }: { chart: Chart }) {
  return (
    <details className="mt-2 text-sm">
      <summary className="text-xs leading-6 text-muted">As a table</summary>
      <Wide name="The queue as a table" className="mt-2 max-h-56">
        <table className="w-full text-left">
          <thead className="text-xs text-muted">
            <tr>
              <th scope="col" className="py-1 pr-3 font-normal">
                From
              </th>
              {queueStates.map((state) => (
                <th key={state} scope="col" className="py-1 pr-3 text-right font-normal">
                  {statusName(state)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...chart.stretches].reverse().map((stretch) => (
              <tr key={stretch.from} className="border-t border-line">
                <th scope="row" className="py-1 pr-3 font-normal">
                  <time dateTime={new Date(stretch.from).toISOString()} title={exact(new Date(stretch.from).toISOString())}>
                    {dayAndTime(stretch.from)}
                  </time>
                  {stretch.begins && <span className="text-muted"> (gap)</span>}
                </th>
                {queueStates.map((state) => (
                  <td key={state} className="py-1 pr-3 text-right">
                    {stretch.highest ? count(stretch.highest[state]) : "–"}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </details>
  );
}
