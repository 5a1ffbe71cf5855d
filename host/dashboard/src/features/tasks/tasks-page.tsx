import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { mostLivePages } from "../../api/changes";
import { refetchEvery } from "../../api/live";
import { taskPages } from "../../api/queries";
import { Button } from "../../components/button";
import { PageHead } from "../../components/card";
import { Empty, ErrorState, Loading } from "../../components/states";
import { count } from "../../lib/format";
import { useShortcuts } from "../../lib/keys";
import { useNow } from "../../lib/now";
import { endOfDay, startOf, startOfDay } from "../../lib/period";
import { useTitle } from "../../lib/title";
import { TaskFilters } from "./filters";
import { TaskRows } from "./task-rows";
import { Views } from "./views";

export function TasksPage() {
  useTitle("Tasks");
  const search = useSearch({ from: "/tasks" });
  const navigate = useNavigate();
  const now = useNow();
  const { period, from, to, ...rest } = search;
  const query = useInfiniteQuery({
    ...taskPages({
      ...rest,
      start_date: period ? startOf(period, now) : from && startOfDay(from),
      end_date: to && endOfDay(to),
    }),
    // A period moves on with the time; what is shown stays until its successor is there.
    placeholderData: (before) => before,
    refetchInterval: (asked) =>
      (asked.state.data?.pages.length ?? 0) <= mostLivePages ? refetchEvery("usual") : false,
  });
  const tasks = useMemo(() => query.data?.pages.flatMap((page) => page.tasks) ?? [], [query.data]);
  const still = (query.data?.pages.length ?? 0) > mostLivePages;

  const [chosenId, setChosenId] = useState<string | null>(null);
  const chosen = tasks.findIndex((task) => task.task_id === chosenId);
  const choose = (index: number): void => {
    const task = tasks[Math.max(0, Math.min(index, tasks.length - 1))];
    if (task) setChosenId(task.task_id);
  };
  useShortcuts({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    Enter: () => {
      if (chosenId) void navigate({ to: "/tasks/$id", params: { id: chosenId } });
    },
  });

  return (
    <div className="mx-auto flex h-full max-w-[88rem] flex-col gap-3 p-4 pb-0 md:px-6 md:pt-5">
      <PageHead
        title="Tasks"
        note={query.data && `${count(tasks.length)}${query.hasNextPage ? " newest" : ""}`}
      />
      <TaskFilters />
      <Views />
      {still && (
        <p className="flex items-center gap-2 text-sm text-muted">
          Far down the list it does not renew itself.
          <Button look="quiet" icon="retry" onClick={() => void query.refetch()}>
            Renew
          </Button>
        </p>
      )}
      <div className="card flex min-h-0 flex-1 flex-col overflow-hidden rounded-b-none border-b-0">
        {query.data === undefined ? (
          query.isError ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading lines={8} />
          )
        ) : tasks.length === 0 ? (
          Object.keys(search).length > 0 ? (
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
          <TaskRows
            tasks={tasks}
            chosen={chosen}
            more={query.hasNextPage}
            loadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </div>
    </div>
  );
}
