// Of a plugin whose newer generation cannot serve, so that an older one does: why, and what a person can do about it.
import { useAct } from "../api/queries";
import type { Plugin } from "../api/schema";
import { Acts } from "./acts";
import { PluginBadge } from "./badge";
import { Button } from "./button";
import { Copy } from "./copy";
import { notify } from "./notices";
import { Time } from "./time";

interface Held {
  kind: "webhook" | "agent";
  name: string;
  held_back: Plugin["held_back"];
}

export function HeldBack({ plugin: { kind, name, held_back: held } }: { plugin: Held }) {
  const clears = held?.state === "quarantined";
  const act = useAct(() => (clears ? `/api/plugins/${kind}/${encodeURIComponent(name)}/clear` : "/api/plugins/rescan"));
  if (!held) return null;
  const about = `${kind}/${name}`;
  const done = clears ? `Cleared ${name}: generation ${held.generation} may serve again.` : `Tried generation ${held.generation} of ${name} once more.`;
  return (
    <div className="tone flex flex-wrap items-start gap-x-4 gap-y-2 rounded-lg border px-3 py-2 text-sm [--tone:var(--wait)]">
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-semibold">
          What its file holds now is held back; what was there before it serves on
        </p>
        <p className="wrap-anywhere whitespace-pre-wrap text-ink">{held.reason}</p>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
          <PluginBadge state={held.state} />
          <span>generation {held.generation}</span>
          <span>
            since <Time iso={held.since} />
          </span>
          <span title={held.source}>{held.source.split("/").at(-1)}</span>
          <span>
            <code className="font-mono">{held.sha256.slice(0, 12)}</code>
            <Copy text={held.sha256} what={`the hash of generation ${held.generation} of ${name}`} />
          </span>
        </p>
      </div>
      <Acts>
        <Button
          icon={clears ? "check" : "retry"}
          aria-label={`${clears ? "Clear" : "Try again"}: generation ${held.generation} of ${name}`}
          title={clears ? "Forget its crashes, and let it serve" : "Look at it again, once its settings or what it needs are there"}
          disabled={act.isPending}
          onClick={() =>
            act.mutate(
              {},
              { onSuccess: () => notify("good", done, about), onError: (error) => notify("bad", error.message, about) },
            )
          }
        >
          {clears ? "Clear" : "Try again"}
        </Button>
      </Acts>
    </div>
  );
}
