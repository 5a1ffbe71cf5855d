// What an execution says: from the lines before the page was opened to those that come now.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useFollow, useLive } from "../../api/live";
import { transcript } from "../../api/queries";
import type { Execution, TaskDetail, TranscriptLine } from "../../api/schema";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Card } from "../../components/card";
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
            options={executions.map((each) => [each.session_id, `${each.agent_name}, try ${each.attempt}`])}
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
          <Tail taskId={taskId} lines={lines} />
        );
      }}
    </Loaded>
  );
}

// Stays at the end while it is at the end; whoever scrolls up is left in peace.
function Tail({ taskId, lines }: { taskId: string; lines: TranscriptLine[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const printing = useIsPrinting();
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 22,
    overscan: printing ? lines.length : 20,
    getItemKey: (index) => lines[index]?.number ?? index,
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
  const first = lines.at(0)?.number ?? 0;
  return (
    <div className="relative">
      {first > 1 && (
        <p className="border-b border-line px-4 py-1.5 text-xs text-muted">
          The newest {count(lines.length)} lines. All of them: <code className="font-mono wrap-anywhere">davit tasks transcript {taskId}</code>
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
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            return (
              line && (
                <div
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  style={{ transform: `translateY(${item.start}px)` }}
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
