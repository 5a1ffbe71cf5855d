// The list itself: a table where there is room, cards where there is not. Only what can be seen is in the document.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Task } from "../../api/schema";
import { StatusBadge } from "../../components/badge";
import { RunsLater, useIsForLater } from "../../components/for-later";
import { Time } from "../../components/time";
import { compact, usd } from "../../lib/format";
import { useIsPrinting, useIsWide } from "../../lib/media";
import { usePlace } from "../../lib/place";
import { movedBy } from "./moved";

const rowHeight = 46;
const cardHeight = 104;
// Beside the navigation there is less room at first than without it.
const withBoxes =
  "grid grid-cols-[1rem_9rem_minmax(0,1fr)_8rem_5rem] md:grid-cols-[1rem_8.5rem_minmax(0,1fr)_5rem] lg:grid-cols-[1rem_8.5rem_minmax(0,1fr)_8rem_4rem_5rem] xl:grid-cols-[1rem_8.5rem_minmax(0,1fr)_9rem_5.5rem_4.5rem_5rem] 2xl:grid-cols-[1rem_8.5rem_minmax(0,1fr)_11rem_8rem_5rem_5rem_5.5rem] items-center gap-x-3 px-4";
const withoutBoxes =
  "grid grid-cols-[9rem_minmax(0,1fr)_8rem_5rem] md:grid-cols-[8.5rem_minmax(0,1fr)_5rem] lg:grid-cols-[8.5rem_minmax(0,1fr)_8rem_4rem_5rem] xl:grid-cols-[8.5rem_minmax(0,1fr)_9rem_5.5rem_4.5rem_5rem] 2xl:grid-cols-[8.5rem_minmax(0,1fr)_11rem_8rem_5rem_5rem_5.5rem] items-center gap-x-3 px-4";

interface Props {
  tasks: Task[];
  list: string | null; // which one they are of; null: of the one before, until those of this one are there
  chosen: number;
  chosenId: string | null;
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
  // Who may not act selects nothing. `toggle` stays the same from one rendering to the next.
  selecting: { has: (id: string) => boolean; toggle: (id: string) => void } | null;
}

export function TaskRows({ tasks, list, chosen, chosenId, more, loadingMore, onMore, selecting }: Props) {
  const wide = useIsWide();
  const printing = useIsPrinting();
  const columns = selecting ? withBoxes : withoutBoxes;
  const scroller = useRef<HTMLDivElement>(null);
  const { kept, keep } = usePlace<number>("rows");
  const [begun] = useState(() => kept() ?? 0);
  const height = wide ? rowHeight : cardHeight;
  const virtual = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    initialOffset: begun,
    overscan: printing ? tasks.length : 12,
    // The same as long as the tasks are: with another one, each row of the list is measured anew.
    getItemKey: useCallback((index: number) => tasks[index]?.task_id ?? index, [tasks]),
  });
  useEffect(() => virtual.measure(), [virtual, wide]);
  // Where one goes by the keys is brought into sight, once: neither what comes in above nor Back is a step.
  const gone = useRef(chosenId);
  useEffect(() => {
    if (gone.current === chosenId) return;
    gone.current = chosenId;
    if (chosen >= 0) virtual.scrollToIndex(chosen);
  }, [virtual, chosen, chosenId]);
  // What one points at stays there, whatever comes in above; at the top one sees it come. Another list begins at its top.
  const laid = useRef({ tasks, list });
  useLayoutEffect(() => {
    const before = laid.current;
    if (list === null || (before.tasks === tasks && before.list === list)) return;
    laid.current = { tasks, list };
    const element = scroller.current;
    if (!element) return;
    if (before.list !== list) element.scrollTop = kept() ?? 0;
    else if (element.scrollTop > 0)
      element.scrollTop += height * movedBy(before.tasks, tasks, Math.floor(element.scrollTop / height));
  }, [tasks, list, height, kept]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loadingMore && last >= tasks.length - 20) onMore();
  }, [more, loadingMore, last, tasks.length, onMore]);

  const rows = items.map((item) => {
    const task = tasks[item.index];
    if (!task) return null;
    const place = {
      task,
      start: item.start,
      height: item.size,
      selected: selecting && selecting.has(task.task_id),
      onToggle: selecting?.toggle,
    };
    return wide ? (
      <Row key={item.key} {...place} index={item.index} chosen={item.index === chosen} />
    ) : (
      <TaskCard key={item.key} {...place} />
    );
  });

  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto outline-none"
      data-scroll
      tabIndex={-1}
      onScroll={(event) => keep(event.currentTarget.scrollTop)}
      role={wide ? "table" : undefined}
      aria-label={wide ? "Tasks" : undefined}
      aria-rowcount={wide ? (more ? -1 : tasks.length + 1) : undefined}
    >
      {wide && (
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-raised">
          <div role="row" aria-rowindex={1} className={`${columns} h-9 text-xs font-semibold text-muted`}>
            {selecting && (
              <span role="columnheader">
                <span className="sr-only">Selected</span>
              </span>
            )}
            <span role="columnheader">Status</span>
            <span role="columnheader">Task</span>
            <span role="columnheader" className="md:max-lg:hidden">
              Agent
            </span>
            <span role="columnheader" className="hidden xl:block">
              Source
            </span>
            <span role="columnheader" className="hidden text-right 2xl:block">
              Tokens
            </span>
            <span role="columnheader" className="hidden text-right lg:block">
              Cost
            </span>
            <span role="columnheader" className="text-right">
              Created
            </span>
          </div>
        </div>
      )}
      {wide ? (
        <div role="rowgroup" className="laid relative" style={{ height: virtual.getTotalSize() }}>
          {rows}
        </div>
      ) : (
        <ul aria-label="Tasks" className="laid relative" style={{ height: virtual.getTotalSize() }}>
          {rows}
        </ul>
      )}
      {loadingMore && (
        <p role="status" className="p-3 text-center text-sm text-muted">
          Loading more…
        </p>
      )}
    </div>
  );
}

// Of a row or card. Only what is compared in a moment: one that is shown already is not rendered again for each step of a scroll.
interface Placed {
  task: Task;
  start: number; // pixels from the beginning of the list
  height: number;
  selected: boolean | null; // null: it cannot be
  onToggle: ((id: string) => void) | undefined;
}

const placeOf = ({ start, height }: Placed): CSSProperties => ({ transform: `translateY(${start}px)`, height });

// What is worth a second line: why it failed, or waits and until when, else what it is about.
function SecondLine({ task, className }: { task: Task; className: string }) {
  const isForLater = useIsForLater(task);
  const isBad = task.status === "failed" && task.error !== null;
  const about = task.entity ?? task.task_type;
  return (
    <span className={`truncate ${isBad ? "text-bad" : ""} ${className}`}>
      {isForLater && (
        <>
          <RunsLater task={task} /> ·{" "}
        </>
      )}
      {isBad ? task.error : (task.hold_reason ?? ((isForLater && task.error) || about))}
    </span>
  );
}

// Above the link that covers the row, and larger than it looks. On a card it is as large as a finger.
function Box({ task, selected, onToggle }: Placed) {
  if (selected === null) return null;
  return (
    <label className="relative z-1 -m-1 grid size-6 place-items-center max-sm:-m-3.5 max-sm:size-11">
      <input
        type="checkbox"
        aria-label={`Select ${task.title || "(no title)"}`}
        className="block size-4 accent-accent"
        checked={selected}
        onChange={() => onToggle?.(task.task_id)}
      />
    </label>
  );
}

const Row = memo(function Row({ index, chosen, ...placed }: Placed & { index: number; chosen: boolean }) {
  const { task, selected } = placed;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-current={chosen || undefined}
      style={placeOf(placed)}
      className={`absolute inset-x-0 top-0 ${selected !== null ? withBoxes : withoutBoxes} border-b border-line hover:bg-raised aria-[current=true]:bg-sunken aria-[current=true]:shadow-[inset_3px_0_0_var(--accent)]`}
    >
      {selected !== null && (
        <span role="cell">
          <Box {...placed} />
        </span>
      )}
      <span role="cell">
        <StatusBadge status={task.status} />
        {/* Where there is no room for their columns, the agent and the cost stand below. */}
        <span className="hidden truncate text-xs text-muted md:max-lg:block">{task.current_agent}</span>
      </span>
      <span role="cell" className="min-w-0">
        <Link
          to="/tasks/$id"
          params={{ id: task.task_id }}
          className="block truncate font-medium after:absolute after:inset-0 hover:underline"
        >
          {task.title || "(no title)"}
        </Link>
        <span className="block text-xs text-muted">
          <SecondLine task={task} className="block" />
        </span>
      </span>
      <span role="cell" className="truncate text-sm md:max-lg:hidden">
        {task.current_agent}
        {task.chain_depth > 1 && <span className="text-muted"> · {task.chain_depth}</span>}
      </span>
      <span role="cell" className="hidden truncate text-sm text-muted xl:block">
        {task.source}
      </span>
      <span role="cell" className="hidden text-right text-sm text-muted 2xl:block">
        {task.total_tokens_used > 0 ? compact(task.total_tokens_used) : "–"}
      </span>
      <span role="cell" className="hidden text-right text-sm lg:block">
        {task.total_cost_usd > 0 ? usd(task.total_cost_usd) : <span className="text-muted">–</span>}
      </span>
      <span role="cell" className="text-right text-sm text-muted">
        <Time iso={task.created_at} className="relative" />
        {task.total_cost_usd > 0 && <span className="hidden text-xs md:max-lg:block">{usd(task.total_cost_usd)}</span>}
      </span>
    </div>
  );
});

const TaskCard = memo(function TaskCard(placed: Placed) {
  const { task } = placed;
  return (
    <li style={placeOf(placed)} className="absolute inset-x-0 top-0 flex flex-col justify-center gap-1 border-b border-line px-4">
      <div className="flex items-center gap-2">
        <Box {...placed} />
        <StatusBadge status={task.status} />
        <Time iso={task.created_at} className="ml-auto text-xs text-muted" />
      </div>
      <Link
        to="/tasks/$id"
        params={{ id: task.task_id }}
        className="truncate font-medium after:absolute after:inset-0"
      >
        {task.title || "(no title)"}
      </Link>
      <div className="flex gap-3 text-xs text-muted">
        <SecondLine task={task} className="min-w-0 flex-1" />
        <span className="truncate">{task.current_agent}</span>
        {task.total_cost_usd > 0 && <span>{usd(task.total_cost_usd)}</span>}
      </div>
    </li>
  );
});
