// Who did what through the API, the commands and signals, and who was kept from it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useLive, useLivePages } from "../../api/live";
import { auditPages, tokens } from "../../api/queries";
import { type AuditEntry, auditOutcomes } from "../../api/schema";
import { Badge, type Tone } from "../../components/badge";
import { Button } from "../../components/button";
import { Page, PageHead } from "../../components/card";
import { JsonTree } from "../../components/json-tree";
import { MorePages } from "../../components/more-pages";
import { Select } from "../../components/select";
import { Empty, ErrorState, Loading } from "../../components/states";
import { Time } from "../../components/time";
import { count } from "../../lib/format";
import { useSetAt } from "../../lib/now";
import { periodNames, startOf, periods } from "../../lib/period";
import { useTitle } from "../../lib/title";
import { actorsFrom, operationsFrom } from "./noted";

const looks: Record<AuditEntry["outcome"], [Tone, string]> = {
  begun: ["busy", "○"],
  done: ["good", "✓"],
  refused: ["wait", "◆"],
  failed: ["bad", "✕"],
  denied: ["bad", "⊘"],
};

// "approveTask" as "approve task"
function spoken(operation: string): string {
  return operation.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

export function AuditPage() {
  useTitle("Audit");
  const search = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const opened = useSetAt(JSON.stringify(search));
  const query = useLivePages(
    auditPages({
      actor: search.actor,
      operation: search.operation,
      outcome: search.outcome,
      object: search.object,
      start_date: search.period && startOf(search.period, opened),
    }),
    { isTold: false },
  );
  const set = (name: string, value: string): void => {
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }) });
  };
  const list = query.data?.pages.flatMap((page) => page.entries) ?? [];
  const named = useLive(tokens(), "slow").data?.tokens ?? [];
  return (
    <Page>
      <PageHead title="Audit" {...(query.data ? { note: `${count(list.length)}${query.hasNextPage ? " newest" : ""}` } : {})}>
        <Select name="Who" value={search.actor} options={actorsFrom(named, list.map((entry) => entry.actor))} onChange={(value) => set("actor", value)} />
        <Select
          name="Operation"
          value={search.operation}
          options={operationsFrom(list.map((entry) => entry.operation)).map((each) => [each, spoken(each)] as const)}
          onChange={(value) => set("operation", value)}
        />
        <Select name="Outcome" value={search.outcome} options={auditOutcomes} onChange={(value) => set("outcome", value)} />
        <Select
          name="Time"
          value={search.period}
          options={periods.map((period) => [period, periodNames[period]] as const)}
          onChange={(value) => set("period", value)}
        />
        {search.object && (
          <Button icon="close" title="Show what was done to everything" onClick={() => set("object", "")}>
            <span className="max-w-40 truncate">{search.object}</span>
          </Button>
        )}
      </PageHead>
      <section aria-label="Audit log" className="card">
        {query.data === undefined ? (
          query.isError ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading lines={6} />
          )
        ) : list.length === 0 ? (
          <Empty icon="audit" title="Nothing is noted">
            {Object.keys(search).length > 0
              ? "Nothing that is like that. Take a filter away, or choose a longer time."
              : "What somebody does here, by a command or by the API, is noted with his name; so is what he may not do."}
          </Empty>
        ) : (
          <ul>
            {list.map((entry) => (
              <Line key={entry.id} entry={entry} onObject={(object) => set("object", object)} />
            ))}
          </ul>
        )}
        <MorePages query={query} name="Older ones" />
      </section>
    </Page>
  );
}

function Line({ entry, onObject }: { entry: AuditEntry; onObject: (object: string) => void }) {
  const [open, setOpen] = useState(false);
  const [tone, sign] = looks[entry.outcome];
  const { object } = entry;
  return (
    <li className="border-t border-line px-4 py-2 first:border-t-0">
      <div className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 lg:grid-cols-[6.5rem_8rem_minmax(0,1fr)_7rem_auto]">
        <span>
          <Badge tone={tone} sign={sign}>
            {entry.outcome}
          </Badge>
        </span>
        <span className="truncate text-sm font-medium">{entry.actor ?? "somebody"}</span>
        <span className="min-w-0 max-lg:col-span-2 max-lg:row-start-2">
          <span className="flex flex-wrap gap-x-2">
            {spoken(entry.operation)}
            {object !== null && (
                <button
                  type="button"
                  title={`Show what was done to ${object}`}
                  className="min-w-0 text-left font-mono text-xs leading-6 wrap-anywhere text-accent hover:underline"
                  onClick={() => onObject(object)}
                >
                  {object}
                </button>
            )}
          </span>
          <span className="block text-xs wrap-anywhere text-muted">
            {[
              entry.way,
              entry.address,
              entry.reason,
              entry.unrecorded > 0 && `${count(entry.unrecorded)} more before it`,
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </span>
        <Time iso={entry.at} className="text-right text-xs text-muted max-lg:col-start-3 max-lg:row-start-1" />
        <Button look="quiet" aria-expanded={open} className="max-lg:col-start-3 max-lg:row-start-2 max-lg:justify-self-end" onClick={() => setOpen(!open)}>
          {open ? "Less" : "More"}
        </Button>
      </div>
      {open && (
        <div className="mt-2 overflow-auto rounded-lg border border-line">
          <JsonTree value={{ ...entry }} what="the line" />
        </div>
      )}
    </li>
  );
}
