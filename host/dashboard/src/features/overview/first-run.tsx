// Leads from an empty davit to the first task.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "../../api/live";
import { webhooks } from "../../api/queries";
import type { Webhook } from "../../api/schema";
import { Acts } from "../../components/acts";
import { Badge, PluginBadge } from "../../components/badge";
import { Card } from "../../components/card";
import { Copy } from "../../components/copy";
import { Loaded } from "../../components/states";

export function FirstRun() {
  const query = useLive(webhooks(), "quick");
  return (
    <Card title="To the first task">
      <Loaded query={query}>{(data) => <Steps webhooks={data.webhooks} />}</Loaded>
    </Card>
  );
}

function Steps({ webhooks }: { webhooks: Webhook[] }) {
  const there = webhooks.filter((webhook) => webhook.state !== "missing");
  const serving = webhooks.filter((webhook) => webhook.state === "serving");
  const waiting = there.filter((webhook) => webhook.state !== "serving");
  return (
    <ol className="flex flex-col">
      <Step done={there.length > 0} title="A webhook's plugin is loaded">
        {there.length > 0 ? (
          names(there)
        ) : webhooks.length > 0 ? (
          <Reasons webhooks={webhooks} />
        ) : (
          "Put a plugin's library into the plugins folder: it is loaded as soon as it is there."
        )}
      </Step>
      <Step done={serving.length > 0} title="It has what it needs, and serves">
        {serving.length > 0 ? (
          `${serving.map((webhook) => `${webhook.name} at ${webhook.endpoint}`).join(", ")}.`
        ) : waiting.length > 0 ? (
          // Each says what it lacks, and what to do about it.
          <Reasons webhooks={waiting} />
        ) : (
          "Most take a secret that signatures are checked with."
        )}
      </Step>
      <Step done={false} title="A signed event comes">
        {serving.length > 0 ? <FirstEvent serving={serving} /> : "Once a webhook serves. Its task then appears here by itself."}
      </Step>
    </ol>
  );
}

const names = (webhooks: Webhook[]): string => `${webhooks.map((webhook) => webhook.name).join(", ")}.`;

function Reasons({ webhooks }: { webhooks: Webhook[] }) {
  return (
    <>
      <ul className="my-1 flex flex-col gap-1.5">
        {webhooks.map((webhook) => (
          <li key={webhook.name} className="wrap-anywhere">
            <PluginBadge state={webhook.state} /> <span className="font-medium text-ink">{webhook.name}</span>
            {webhook.reason && `: ${webhook.reason}`}
          </li>
        ))}
      </ul>
      More of them is on the page of{" "}
      <Link to="/plugins" className="link">
        plugins
      </Link>
      .
    </>
  );
}

function FirstEvent({ serving }: { serving: Webhook[] }) {
  // The example is an event of GitHub's: nobody else sends such.
  const github = serving.some((webhook) => webhook.name === "github" && webhook.secrets > 0);
  const send = "davit send github examples/demo/1-issue-labeled.json --event issues";
  return (
    <>
      {github && (
        <>
          <span className="flex flex-wrap items-center gap-1">
            <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs wrap-anywhere">{send}</code>
            <Copy text={send} what="the command" />
          </span>
          It signs the file as the real sender does.{" "}
        </>
      )}
      Its task appears here by itself.
      <Acts>
        {" "}
        {github ? "Without a terminal: the page of" : "To try it, the page of"}{" "}
        <Link to="/plugins" className="link">
          plugins
        </Link>{" "}
        sends a test event.
      </Acts>
    </>
  );
}

function Step({ done, title, children }: { done: boolean; title: string; children: ReactNode }) {
  return (
    <li className="flex items-start gap-3 border-t border-line px-4 py-3 first:border-t-0">
      <Badge tone={done ? "good" : "wait"} sign={done ? "✓" : "○"}>
        {done ? "done" : "to do"}
      </Badge>
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        <div className="text-sm text-muted">{children}</div>
      </div>
    </li>
  );
}
