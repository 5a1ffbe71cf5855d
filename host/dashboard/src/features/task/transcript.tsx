// What an execution says: from the lines before the page was opened to those that come now.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useFollow, useLive } from "../../api/live";
import { transcript, useEarlierLines } from "../../api/queries";
import type { Execution, TaskDetail, TranscriptLine } from "../../api/schema";
import { linesAtOnce, mostHeld } from "../../api/transcript-lines";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Card } from "../../components/card";
import { Copy } from "../../components/copy";
import { Select } from "../../components/select";
import { Empty, Loaded } from "../../components/states";
import { clock, count, exact } from "../../lib/format";
import { useIsPrinting } from "../../lib/media";

export function TranscriptCard({ task }: { task: TaskDetail }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const executions = task.agent_executions;
  // The newest, unless one was chosen.
  const execution = executions.find((each) => each.session_id === chosen) ?? executions.at(-1);
  if (!execution) return null;
  return (
    <Card
      title="Transcript"
      {...(execution.outcome === "running"
        ? {
            note: (
              <Badge tone="busy" sign="●">
                following
              </Badge>
            ),
          }
        : {})}
      aside={
        executions.length > 1 && (
          <Select
            name="Execution"
            any={null}
            value={execution.session_id}
            usual={execution.session_id}
            options={executions.map((each, index) => [
              each.session_id,
              `${index + 1} of ${executions.length}: ${each.agent_name}, try ${each.attempt}`,
            ])}
            onChange={setChosen}
          />
        )
      }
    >
      <Lines key={execution.session_id} taskId={task.task_id} execution={execution} />
    </Card>
  );
}

function Lines({ taskId, execution }: { taskId: string; execution: Execution }) {
  const running = execution.outcome === "running";
  const query = useLive(transcript(taskId, execution.session_id), running ? "quick" : "slow");
  useFollow(taskId);
  return (
    <Loaded query={query}>
      {(data) => {
        const lines = data.executions.at(0)?.lines ?? [];
        return lines.length === 0 ? (
          <Empty icon="tasks" title={running ? "It has said nothing yet" : "It said nothing"} />
        ) : (
          <Tail taskId={taskId} session={execution.session_id} lines={lines} />
        );
      }}
    </Loaded>
  );
}

const headHeight = 44; // of what leads to earlier lines, in pixels
const mostPrinted = 5_000;

// Stays at the end while it is at the end; whoever scrolls up is left in peace, also when lines come before what he reads.
function Tail({ taskId, session, lines }: { taskId: string; session: string; lines: TranscriptLine[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const printing = useIsPrinting();
  const earlier = useEarlierLines(taskId, session);
  const first = lines.at(0)?.number ?? 1;
  const goesBack = first > 1 && earlier.data !== 0;
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 22,
    overscan: printing ? Math.min(lines.length, mostPrinted) : 20,
    getItemKey: useCallback((index: number) => lines[index]?.number ?? index, [lines]),
    scrollMargin: goesBack ? headHeight : 0,
    anchorTo: "end",
  });
  const newest = lines.at(-1)?.number;
  useLayoutEffect(() => {
    if (following) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [virtual, following, newest, lines.length]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onWheel = (): void =>
      setFollowing(element.scrollTop + element.clientHeight >= element.scrollHeight - 40);
    element.addEventListener("scroll", onWheel, { passive: true });
    return () => element.removeEventListener("scroll", onWheel);
  }, []);
  const command = `davit tasks transcript ${taskId} --session ${session} --before ${first}`;
  const back = (): void =>
    earlier.mutate(first, {
      // The button that had the focus was disabled meanwhile, and may be gone: arrow keys go on where one reads.
      onSettled: () => {
        const at = document.activeElement;
        if (at === document.body || scroller.current?.contains(at)) scroller.current?.focus({ preventScroll: true });
      },
    });
  return (
    <div className="relative">
      {earlier.isError && (
        <p role="alert" className="border-b border-line px-4 py-1.5 text-sm wrap-anywhere text-bad">
          {earlier.error.message}
        </p>
      )}
      {/* A region one can scroll by keyboard. */}
      <div
        ref={scroller}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="log"
        aria-label="Transcript"
        aria-live="off"
        className="max-h-[26rem] overflow-y-auto py-2 font-mono text-xs leading-[1.375rem]"
      >
        {goesBack && (
          <div style={{ height: headHeight }} className="flex items-center gap-3 overflow-hidden px-4 font-sans text-muted">
            {lines.length + linesAtOnce <= mostHeld ? (
              <Button disabled={earlier.isPending} onClick={back}>
                {earlier.isPending ? "Loading…" : "Earlier lines"}
              </Button>
            ) : (
              <>
                <code className="truncate font-mono">{command}</code>
                <Copy text={command} what="the command" />
              </>
            )}
            <span role="status" className="shrink-0">
              before line {count(first)}
            </span>
          </div>
        )}
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            return (
              line && (
                <div
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
                  className="absolute inset-x-0 top-0 grid grid-cols-[4.25rem_minmax(0,1fr)] gap-x-3 px-4 hover:bg-raised sm:grid-cols-[4.25rem_5.5rem_minmax(0,1fr)]"
                >
                  <span className="text-muted" title={line.at ? exact(line.at) : undefined}>
                    {line.at ? clock(line.at) : ""}
                  </span>
                  <span className={`hidden truncate sm:block ${kindColor(line.kind)}`}>{line.kind}</span>
                  <span className="wrap-anywhere whitespace-pre-wrap">{line.line}</span>
                </div>
              )
            );
          })}
        </div>
      </div>
      {!following && (
        <Button className="absolute right-4 bottom-3 shadow-card" onClick={() => setFollowing(true)}>
          To the end
        </Button>
      )}
    </div>
  );
}

function kindColor(kind: string): string {
  if (kind === "error") return "text-bad";
  if (kind === "assistant" || kind === "text") return "text-accent";
  return "text-muted";
}
