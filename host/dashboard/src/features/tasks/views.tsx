// Saved views: the filters that stand in the address, under a name.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { queryText } from "../../api/client";
import { Button } from "../../components/button";
import { Copy } from "../../components/copy";
import { Dialog } from "../../components/dialog";
import { forgetView, keepView, longestName, useViews } from "../../lib/views";

export function Views() {
  const search = useSearch({ from: "/tasks" });
  const navigate = useNavigate();
  const views = useViews();
  const [naming, setNaming] = useState(false);
  const query = queryText(search).slice(1);
  const shown = views.find((view) => view.query === query);
  if (views.length === 0 && query === "") return null;
  return (
    <div role="group" aria-label="Saved views" className="flex flex-wrap items-center gap-1.5">
      {views.map((view) => (
        <span
          key={view.name}
          className="flex max-w-64 items-center rounded-full border border-line bg-surface text-sm data-[shown=true]:border-accent"
          data-shown={view === shown}
        >
          <button
            type="button"
            aria-pressed={view === shown}
            className="min-w-0 truncate rounded-full py-0.5 pr-1 pl-2.5 hover:underline aria-pressed:font-medium"
            onClick={() => void navigate({ to: "/tasks", search: Object.fromEntries(new URLSearchParams(view.query)) })}
          >
            {view.name}
          </button>
          <button
            type="button"
            aria-label={`Forget the view ${view.name}`}
            title="Forget this view"
            className="mr-1 rounded-full px-1.5 text-muted hover:text-bad"
            onClick={() => forgetView(view.name)}
          >
            ×
          </button>
        </span>
      ))}
      {query !== "" && !shown && (
        <Button look="quiet" onClick={() => setNaming(true)}>
          Save this view
        </Button>
      )}
      {query !== "" && (
        <span className="inline-flex items-center text-sm text-muted">
          Link
          <Copy text={`${location.origin}/tasks?${query}`} what="the address of this view" />
        </span>
      )}
      {naming && <Naming query={query} onClose={() => setNaming(false)} />}
    </div>
  );
}

function Naming({ query, onClose }: { query: string; onClose: () => void }) {
  const [name, setName] = useState("");
  return (
    <Dialog title="Save this view" onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          keepView({ name, query });
          onClose();
        }}
      >
        <label className="flex flex-col gap-1 text-sm font-medium">
          Name
          <input
            required
            maxLength={longestName}
            className="field font-normal"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <p className="text-sm text-muted">This browser keeps it. For others, copy the link beside it.</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Back</Button>
          <Button look="main" type="submit" disabled={name.trim() === ""}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
