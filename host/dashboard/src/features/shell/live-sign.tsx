import { type LiveState, useLiveState } from "../../api/live";
import { Icon } from "../../components/icon";
import { Time } from "../../components/time";
import { exact, relative } from "../../lib/format";
import { useNow } from "../../lib/now";

function looks(live: LiveState): [dot: string, words: string, title: string] {
  switch (live.state) {
    case "live":
      return ["bg-good", "Live", "Changes are shown as they happen"];
    case "connecting":
      return ["bg-wait working", "Connecting", "Waiting for the first answer"];
    case "reconnecting":
      return [
        "bg-wait working",
        "Reconnecting",
        `davit stopped telling of changes; asked for anew every ${live.everySeconds} seconds until it does again`,
      ];
    case "polling":
      return [
        "bg-wait",
        "Polling",
        `davit has no stream of changes for this page; asked for anew every ${live.everySeconds} seconds`,
      ];
    case "lost":
      return ["bg-bad", "Stale", `davit does not answer; what is shown was true at ${exact(new Date(live.since).toISOString())}`];
  }
}

// Over the page while davit does not answer: what is shown was true once.
export function StaleBar() {
  const live = useLiveState();
  if (live.state !== "lost") return null;
  return (
    <p className="tone flex items-center gap-2 border-b px-4 py-1.5 text-sm [--tone:var(--bad)] md:px-6">
      <Icon name="warn" size={14} />
      <span>
        No answer from davit. What is shown is of <Time iso={new Date(live.since).toISOString()} /> and may not be true any more.
      </span>
    </p>
  );
}

// Whether what one sees is true now.
export function LiveSign() {
  const live = useLiveState();
  const now = useNow();
  const [dot, words, title] = looks(live);
  return (
    <span role="status" title={title} className="inline-flex items-center gap-2 text-xs text-muted" data-live={live.state}>
      <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
      {words}
      {/* Not said again and again to who listens. */}
      {live.state === "lost" && <span aria-hidden="true">{relative(live.since, now)}</span>}
    </span>
  );
}
