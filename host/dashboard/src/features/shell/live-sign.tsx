import { useLiveState } from "../../api/live";
import { exact, relative } from "../../lib/format";
import { useNow } from "../../lib/now";

// Whether what one sees is true now.
export function LiveSign() {
  const live = useLiveState();
  const now = useNow();
  const [dot, words, title] =
    live.state === "live"
      ? ["bg-good", "Live", `Asked for anew every ${live.everySeconds} seconds`]
      : live.state === "connecting"
        ? ["bg-wait working", "Connecting", "Waiting for the first answer"]
        : ["bg-bad", "Stale", `davit does not answer; the last answer is of ${exact(new Date(live.since).toISOString())}`];
  return (
    <span role="status" title={title} className="inline-flex items-center gap-2 text-xs text-muted" data-live={live.state}>
      <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
      {words}
      {/* Not said again and again to who listens. */}
      {live.state === "lost" && <span aria-hidden="true">{relative(live.since, now)}</span>}
    </span>
  );
}
