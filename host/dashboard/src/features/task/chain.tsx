// The tasks that handed over to one another: as a graph, and as a list for whoever reads it rather than sees it.
import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef, useState } from "react";
import type { ChainLink, TaskDetail } from "../../api/schema";
import { StatusBadge, statusName, statusSign, statusTone, tones } from "../../components/badge";
import { Card } from "../../components/card";
import { Tabs } from "../../components/tabs";
import { Wide } from "../../components/wide";
import { duration, usd } from "../../lib/format";
import { useNow } from "../../lib/now";
import { type Gate, type Layout, type Place, lay, rows } from "./chain-layout";

const views = ["Graph", "List"];

export function ChainCard({ task }: { task: TaskDetail }) {
  const [view, setView] = useState("Graph");
  const now = useNow();
  if (task.chain.length < 2) return null;
  return (
    <Card
      title="Chain"
      note={`${task.chain_tasks} tasks · ${usd(task.chain_cost_usd)}`}
      aside={<Tabs name="Chain" tabs={views} shown={view} onShow={setView} />}
    >
      <div role="tabpanel" aria-label={view}>
        {view === "Graph" ? (
          <Graph layout={lay(task.chain)} current={task.task_id} now={now} />
        ) : (
          <List task={task} now={now} />
        )}
      </div>
    </Card>
  );
}

function seconds(link: ChainLink, now: number): number {
  const end = link.finished_at === null ? now : Date.parse(link.finished_at);
  return Math.max(end - Date.parse(link.created_at), 0) / 1000;
}

const gates: Record<Gate, { words: string; sign: string; tone: string }> = {
  waits: { words: "waits for approval", sign: "◆", tone: tones.wait },
  passed: { words: "approved", sign: "✓", tone: tones.good },
  stopped: { words: "not approved", sign: "✕", tone: tones.bad },
};

const box = { width: 150, height: 54, gapX: 16, gapY: 44 };
const margin = 16;

const left = (place: Place): number => margin + place.column * (box.width + box.gapX);
const top = (place: Place): number => margin + place.row * (box.height + box.gapY);

function Graph({ layout, current, now }: { layout: Layout; current: string; now: number }) {
  const width = margin * 2 + layout.columns * (box.width + box.gapX) - box.gapX;
  const shift = layout.places[0]?.gate ? box.gapY : 0; // room for the gate of the first
  const height = margin * 2 + layout.rows * (box.height + box.gapY) - box.gapY + shift;
  const drawing = useRef<SVGSVGElement>(null);
  const at = layout.places.find((place) => place.link.task_id === current);
  const [x, y] = at ? [left(at) + box.width / 2, top(at) + box.height / 2 + shift] : [0, 0];
  // The task that one looks at is in the middle of what is seen: at first, and where others came beside it.
  useLayoutEffect(() => {
    const around = drawing.current?.parentElement;
    if (!around) return;
    around.scrollLeft = x - around.clientWidth / 2;
    around.scrollTop = y - around.clientHeight / 2;
  }, [x, y]);
  return (
    <Wide name="Graph of the chain" className="max-h-[34rem]">
      <svg ref={drawing} width={width} height={height} className="mx-auto block">
        <g transform={`translate(0 ${shift})`}>
          <g aria-hidden="true">
            {layout.edges.map(({ from, to }) => (
              <path key={to.link.task_id} d={curve(from, to)} className="fill-none stroke-line-strong" strokeWidth="1.5" />
            ))}
            {layout.places.map((place) => place.gate && <GateMark key={place.link.task_id} place={place} gate={place.gate} />)}
          </g>
          {layout.places.map((place) => (
            <Node key={place.link.task_id} place={place} isCurrent={place.link.task_id === current} now={now} />
          ))}
        </g>
      </svg>
    </Wide>
  );
}

function curve(from: Place, to: Place): string {
  const [x1, y1] = [left(from) + box.width / 2, top(from) + box.height];
  const [x2, y2] = [left(to) + box.width / 2, top(to)];
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

function GateMark({ place, gate }: { place: Place; gate: Gate }) {
  const { tone, sign, words } = gates[gate];
  const [x, y] = [left(place) + box.width / 2, top(place) - box.gapY / 2];
  return (
    <g className={tone}>
      <title>{words}</title>
      <path d={`M${x} ${y - 12}l12 12l-12 12l-12 -12z`} className="fill-surface" stroke="var(--tone)" strokeWidth="1.5" />
      <text x={x} y={y + 3.5} textAnchor="middle" fill="var(--tone)" fontSize="10">
        {sign}
      </text>
    </g>
  );
}

const mostLetters = 20;

function Node({ place, isCurrent, now }: { place: Place; isCurrent: boolean; now: number }) {
  const { link, gate } = place;
  const name = link.agent.length > mostLetters ? `${link.agent.slice(0, mostLetters - 1)}…` : link.agent;
  const took = duration(seconds(link, now));
  const cost = link.total_cost_usd > 0 ? usd(link.total_cost_usd) : null;
  return (
    <Link
      to="/tasks/$id"
      params={{ id: link.task_id }}
      aria-current={isCurrent || undefined}
      className={`node ${tones[statusTone(link.status)]}`}
    >
      {/* Its name, which the words in the box are a part of only. */}
      <title>{[link.agent, statusName(link.status), gate && gates[gate].words, took, cost].filter(Boolean).join(", ")}</title>
      <rect x={left(place)} y={top(place)} width={box.width} height={box.height} rx="8" className="box" />
      <rect x={left(place)} y={top(place) + 8} width="3" height={box.height - 16} fill="var(--tone)" />
      <text x={left(place) + 12} y={top(place) + 22} className="fill-ink" fontSize="12.5" fontWeight="600">
        {name}
      </text>
      <text x={left(place) + 12} y={top(place) + 41} fontSize="11" className="fill-muted">
        <tspan fill="var(--tone)">{statusSign(link.status)}</tspan>{" "}
        {[took, cost].filter(Boolean).join(" · ")}
      </text>
    </Link>
  );
}

function List({ task, now }: { task: TaskDetail; now: number }) {
  return (
    <ol className="py-2">
      {rows(task.chain).map(({ link, depth }) => (
        <li
          key={link.task_id}
          aria-current={link.task_id === task.task_id || undefined}
          className="relative flex flex-wrap items-center gap-x-2 px-4 py-1.5 hover:bg-raised aria-[current=true]:bg-sunken"
        >
          {depth > 0 && (
            <span aria-hidden="true" className="text-line-strong" style={{ paddingLeft: `${Math.min(depth - 1, 8)}rem` }}>
              └
            </span>
          )}
          <Link
            to="/tasks/$id"
            params={{ id: link.task_id }}
            className="min-w-0 truncate text-sm font-medium after:absolute after:inset-0"
          >
            {link.agent}
          </Link>
          <span className="ml-auto flex items-center gap-2 text-sm">
            <span className="text-muted">
              {duration(seconds(link, now))}
              {link.total_cost_usd > 0 && ` · ${usd(link.total_cost_usd)}`}
            </span>
            <StatusBadge status={link.status} />
          </span>
        </li>
      ))}
    </ol>
  );
}
