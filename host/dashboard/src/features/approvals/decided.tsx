// What persons, or a deadline in their place, have decided; the newest first.
import { Link } from "@tanstack/react-router";
import { useLivePages } from "../../api/live";
import { decisionPages } from "../../api/queries";
import type { Decisions } from "../../api/schema";
import { Badge } from "../../components/badge";
import { MorePages } from "../../components/more-pages";
import { Empty, ErrorState, Loading } from "../../components/states";
import { Time } from "../../components/time";

type Decided = Decisions["decisions"][number];

export function Decided() {
  const query = useLivePages(decisionPages());
  const list = query.data?.pages.flatMap((page) => page.decisions) ?? [];
  return (
    <section aria-label="Decisions" className="card">
      {query.data === undefined ? (
        query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading lines={6} />
        )
      ) : list.length === 0 ? (
        <Empty icon="approvals" title="Nothing was decided yet">
          Who approved or rejected what, and what he said, is kept as long as the task is.
        </Empty>
      ) : (
        <ul>
          {list.map((each) => (
            <Line key={`${each.task_id} ${each.at} ${each.kind}`} decided={each} />
          ))}
        </ul>
      )}
      <MorePages query={query} name="Older ones" />
    </section>
  );
}

function Line({ decided }: { decided: Decided }) {
  const approved = decided.kind === "approve";
  return (
    <li className="relative grid grid-cols-[auto_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-1 border-t border-line px-4 py-2 first:border-t-0 hover:bg-raised sm:grid-cols-[6.5rem_minmax(0,1fr)_auto]">
      <span>
        <Badge tone={approved ? "good" : "bad"} sign={approved ? "✓" : "✕"}>
          {approved ? "approved" : "rejected"}
        </Badge>
      </span>
      <span className="min-w-0 max-sm:col-span-3 max-sm:row-start-2">
        <Link
          to="/tasks/$id"
          params={{ id: decided.task_id }}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {decided.title || "(no title)"}
        </Link>
        <span className="flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-muted">
          {decided.by !== null && <span className="wrap-anywhere">by {decided.by}</span>}
          {decided.way !== null && <span>{decided.way}</span>}
          <span>{decided.agent}</span>
          {decided.content_hash !== null && <code className="font-mono">{decided.content_hash.slice(0, 12)}</code>}
        </span>
        {decided.comment && <span className="block text-sm wrap-anywhere whitespace-pre-wrap">“{decided.comment}”</span>}
      </span>
      <Time iso={decided.at} className="relative text-right text-xs leading-5 text-muted max-sm:col-start-3 max-sm:row-start-1" />
    </li>
  );
}
