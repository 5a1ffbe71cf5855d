import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { mostLivePages } from "../../api/changes";
import { queryText } from "../../api/client";
import { timeNow } from "../../api/clock";
import { useLivePages } from "../../api/live";
import { type BulkTarget, taskPages } from "../../api/queries";
import type { BulkAction } from "../../api/schema";
import { useMayAct } from "../../api/session";
import type { Act } from "../../components/act-dialog";
import { Button } from "../../components/button";
import { PageHead } from "../../components/card";
import { ExportButton } from "../../components/export-button";
import { Outdated } from "../../components/outdated";
import { Empty, Loading } from "../../components/states";
import { count } from "../../lib/format";
import { useShortcuts } from "../../lib/keys";
import { endOfDay, startOf, startOfDay } from "../../lib/period";
import { useListSeen, usePlace } from "../../lib/place";
import { useTitle } from "../../lib/title";
import { BulkBar, BulkDialog } from "./bulk";
import { DecideDialog } from "./decide";
import { TaskFilters } from "./filters";
import { type Selection, isSelected, nothing, targetOf, toggled } from "./selection";
import { TaskRows } from "./task-rows";
import { Views } from "./views";
import { ListError } from "./wrong-filter";

// What of the list is found again by Back.
interface Left {
  asked: { filter: string; at: number };
  selected: Selection;
  chosenId: string | null;
}

export function TasksPage() {
  useTitle("Tasks");
  const search = useSearch({ from: "/tasks" });
  const navigate = useNavigate();
  const filter = JSON.stringify(search);
  // Periods end where the page was opened or its filter set: if they moved on with the time, each minute would be another
  // list, asked for from its first page, and whoever had scrolled down would be thrown back.
  const place = usePlace<Left>("list");
  const left = (): Left | undefined => (place.kept()?.asked.filter === filter ? place.kept() : undefined);
  const [asked, setAsked] = useState(() => left()?.asked ?? { filter, at: timeNow() });
  const [selected, select] = useState<Selection>(() => left()?.selected ?? nothing(filter));
  const [chosenId, setChosenId] = useState<string | null>(() => left()?.chosenId ?? null);
  if (asked.filter !== filter) {
    setAsked(() => left()?.asked ?? { filter, at: timeNow() });
    select(left()?.selected ?? nothing(filter));
    setChosenId((now) => left()?.chosenId ?? now);
  }
  const { keep } = place;
  useEffect(() => keep({ asked, selected, chosenId }), [keep, asked, selected, chosenId]);
  useListSeen("/tasks", search);
  const opened = asked.at;
  const { period, from, to, ...rest } = search;
  const parameters = {
    ...rest,
    start_date: period ? startOf(period, opened) : from && startOfDay(from),
    end_date: to && endOfDay(to),
  };
  const query = useLivePages({
    ...taskPages(parameters),
    // What is shown stays until what another filter finds is there.
    placeholderData: (before) => before,
  });
  const listed = useMemo(() => query.data?.pages.flatMap((page) => page.tasks) ?? [], [query.data]);
  const outdated = query.isPlaceholderData;
  // Those that keys and buttons act on.
  const tasks = useMemo(() => (outdated ? [] : listed), [outdated, listed]);
  const still = (query.data?.pages.length ?? 0) > mostLivePages;

  const chosen = tasks.findIndex((task) => task.task_id === chosenId);
  const choose = (index: number): void => {
    const task = tasks[Math.max(0, Math.min(index, tasks.length - 1))];
    if (task) setChosenId(task.task_id);
  };
  const mayAct = useMayAct();
  const selection = selected.filter === filter ? selected : nothing(filter);
  const shown = useMemo(() => tasks.map((task) => task.task_id), [tasks]);
  const toggle = useCallback(
    (id: string): void => select((now) => toggled(now.filter === filter ? now : nothing(filter), id, shown)),
    [filter, select, shown],
  );
  const [acting, setActing] = useState<{ action: BulkAction; target: BulkTarget } | null>(null);
  const [deciding, setDeciding] = useState<{ id: string; act: Act } | null>(null);
  const decide = (act: Act): void => {
    const task = tasks[chosen];
    if (mayAct && task?.status === "awaiting_approval") setDeciding({ id: task.task_id, act });
  };
  useShortcuts({
    x: () => {
      if (mayAct && chosenId && chosen >= 0) toggle(chosenId);
    },
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    a: () => decide("approve"),
    r: () => decide("reject"),
    Enter: () => {
      if (chosenId && chosen >= 0) void navigate({ to: "/tasks/$id", params: { id: chosenId } });
    },
  });

  // Where there is little height, the list keeps some and the page scrolls around it.
  return (
    <div className="mx-auto flex h-full max-w-[88rem] flex-col gap-3 p-4 pb-0 md:px-6 md:pt-5 [@media(max-height:500px)]:overflow-y-auto">
      <PageHead
        title="Tasks"
        note={query.data && !outdated && `${count(tasks.length)}${query.hasNextPage ? " newest" : ""}`}
      >
        {!(query.isError && query.data === undefined) && (
          <>
            <ExportButton path={`/api/dashboard/tasks.csv${queryText(parameters)}`} file="tasks.csv">
              CSV
            </ExportButton>
            <ExportButton path={`/api/dashboard/tasks.ndjson${queryText(parameters)}`} file="tasks.ndjson">
              NDJSON
            </ExportButton>
          </>
        )}
      </PageHead>
      <TaskFilters />
      <Views />
      {mayAct && listed.length > 0 && (
        <div inert={outdated}>
          <BulkBar
            selection={selection}
            shown={shown}
            onSelect={select}
            onAct={(action) => {
              const target = targetOf(selection, parameters);
              if (target) setActing({ action, target });
            }}
          />
        </div>
      )}
      {acting && (
        <BulkDialog {...acting} onDone={() => select(nothing(filter))} onClose={() => setActing(null)} />
      )}
      {deciding && <DecideDialog {...deciding} onClose={() => setDeciding(null)} />}
      {still && !outdated && (
        <p className="flex items-center gap-2 text-sm text-muted">
          Far down the list it does not renew itself.
          <Button look="quiet" icon="retry" onClick={() => void query.refetch()}>
            Renew
          </Button>
        </p>
      )}
      <div className="card flex min-h-0 flex-1 flex-col overflow-hidden rounded-b-none border-b-0 [@media(max-height:500px)]:min-h-72">
        {query.data === undefined ? (
          query.isError ? (
            <ListError error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading lines={8} />
          )
        ) : listed.length === 0 && !outdated ? (
          filter !== "{}" ? (
            <Empty icon="search" title="No task is like that">
              <p>Take a filter away, or choose a longer time.</p>
            </Empty>
          ) : (
            <Empty title="No tasks yet">
              <p>
                They come with the first delivery of a webhook: the overview shows where to send it. By hand:{" "}
                <code className="font-mono">davit tasks create</code>.
              </p>
            </Empty>
          )
        ) : (
          <Outdated is={outdated} className="flex min-h-0 flex-1 flex-col">
            <TaskRows
              tasks={listed}
              list={outdated ? null : filter}
              chosen={chosen}
              chosenId={chosenId}
              selecting={mayAct ? { has: (id) => isSelected(selection, id), toggle } : null}
              more={query.hasNextPage && !outdated}
              loadingMore={query.isFetchingNextPage}
              onMore={() => void query.fetchNextPage()}
            />
          </Outdated>
        )}
      </div>
    </div>
  );
}
