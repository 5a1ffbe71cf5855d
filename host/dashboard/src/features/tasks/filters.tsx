// What the list is narrowed down by. The address holds it; this shows and changes it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { timeNow } from "../../api/clock";
import { useLive } from "../../api/live";
import { agents, webhooks } from "../../api/queries";
import { taskStatuses } from "../../api/schema";
import { statusName } from "../../components/badge";
import { Button } from "../../components/button";
import { Icon } from "../../components/icon";
import { Select } from "../../components/select";
import { periodNames, periods, today } from "../../lib/period";
import { useTyping } from "../../lib/typing";

const typingPause = 250; // milliseconds
// Where tasks come from besides webhooks.
const otherSources = ["api", "chain", "schedule", "approval"];

export function TaskFilters() {
  const search = useSearch({ from: "/tasks" });
  const navigate = useNavigate({ from: "/tasks" });
  const agentNames = (useLive(agents(), "slow").data?.agents ?? []).map((agent) => agent.name);
  const webhookNames = (useLive(webhooks(), "slow").data?.webhooks ?? []).map((webhook) => webhook.name);
  const [open, setOpen] = useState(false);
  const given = Object.entries(search).filter(([, value]) => value !== undefined);
  const chosen = given.filter(([name]) => name !== "q").length;
  const change = (values: Record<string, string | undefined>, replaces = false): void => {
    void navigate({ search: (old) => ({ ...old, ...values }), replace: replaces });
  };
  const set = (name: string, value: string, replaces = false): void => change({ [name]: value || undefined }, replaces);
  const byDay = search.from !== undefined || search.to !== undefined;
  return (
    <div role="search" aria-label="Tasks" className="flex flex-wrap items-center gap-2">
      <SearchField value={search.q ?? ""} onChange={(value, replaces) => set("q", value, replaces)} />
      <Button icon="filter" className="sm:hidden" aria-expanded={open} onClick={() => setOpen(!open)}>
        Filters{chosen > 0 && ` (${chosen})`}
      </Button>
      <div className={`${open ? "grid" : "hidden"} w-full grid-cols-2 gap-2 sm:flex sm:w-auto sm:flex-wrap`}>
        <Select
          name="Status"
          value={search.status}
          options={taskStatuses.map((status) => [status, statusName(status)])}
          onChange={(value) => set("status", value)}
        />
        <Select name="Agent" value={search.agent} options={agentNames} onChange={(value) => set("agent", value)} />
        <Select
          name="Source"
          value={search.source}
          options={[...webhookNames, ...otherSources]}
          onChange={(value) => set("source", value)}
        />
        <Select
          name="Time"
          value={byDay ? "days" : search.period}
          options={[...periods.map((period) => [period, periodNames[period]] as const), ["days", "From day to day"]]}
          onChange={(value) =>
            change(
              value === "days"
                ? { period: undefined, from: today(timeNow()), to: today(timeNow()) }
                : { period: value || undefined, from: undefined, to: undefined },
            )
          }
        />
        {byDay && (
          <>
            <Day name="From" value={search.from} onChange={(value, replaces) => set("from", value, replaces)} />
            <Day name="To" value={search.to} onChange={(value, replaces) => set("to", value, replaces)} />
          </>
        )}
      </div>
      {search.entity && (
        <Button icon="close" title="Show tasks of everything" onClick={() => set("entity", "")}>
          <span className="max-w-40 truncate">{search.entity}</span>
        </Button>
      )}
      {given.length > 0 && (
        <Button look="quiet" onClick={() => void navigate({ search: {} })}>
          Clear
        </Button>
      )}
    </div>
  );
}

function Day({
  name,
  value,
  onChange,
}: {
  name: string;
  value: string | undefined;
  onChange: (value: string, replaces: boolean) => void;
}) {
  const typing = useTyping();
  return (
    <input
      type="date"
      aria-label={name}
      title={`${name}, in your time zone`}
      value={value ?? ""}
      onFocus={typing.end}
      onChange={(event) => onChange(event.target.value, typing.next())}
      className="field"
    />
  );
}

// Tells of a change when one stops typing; what the address says from elsewhere (Back, Clear) wins. What it says because it
// was told here does not: meanwhile more may have been typed.
function SearchField({ value, onChange }: { value: string; onChange: (value: string, replaces: boolean) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const typing = useTyping();
  const said = useRef(value); // what the address says, or soon will
  const told = useRef(new Set<string>()); // what it will say because of that
  useEffect(() => {
    const isMine = told.current.has(value);
    if (!isMine || value === said.current) told.current.clear();
    if (isMine) return;
    typing.end();
    clearTimeout(timer.current);
    said.current = value;
    if (field.current && field.current.value.trim() !== value) field.current.value = value;
  }, [value, typing]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (typed: string): void => {
    if (typed === said.current) return;
    const replaces = typing.next();
    told.current.add(typed);
    said.current = typed;
    onChange(typed, replaces);
  };
  return (
    <label className="relative min-w-0 flex-1 sm:max-w-72 sm:min-w-52">
      <span className="sr-only">Search titles, entities and errors</span>
      <span className="absolute top-2 left-2.5 text-muted">
        <Icon name="search" size={15} />
      </span>
      <input
        ref={field}
        type="search"
        defaultValue={value}
        maxLength={200}
        placeholder="Search  ( / )"
        className="field w-full pl-8"
        onChange={(event) => {
          const typed = event.target.value.trim();
          clearTimeout(timer.current);
          timer.current = setTimeout(() => tell(typed), typingPause);
        }}
        onFocus={typing.end}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
    </label>
  );
}
