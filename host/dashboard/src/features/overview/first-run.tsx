// Leads from an empty davit to the first task.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "../../api/live";
import { webhooks } from "../../api/queries";
import { Acts } from "../../components/acts";
import { Badge } from "../../components/badge";
import { Card } from "../../components/card";
import { Copy } from "../../components/copy";
import { Loaded } from "../../components/states";

export function FirstRun() {
  const query = useLive(webhooks(), "quick");
  return (
    <Card title="To the first task">
      <Loaded query={query}>
        {(data) => {
          const serving = data.webhooks.filter((webhook) => webhook.state === "serving");
          const ready = serving.find((webhook) => webhook.secrets > 0);
          // The example is an event of GitHub's: nobody else sends such.
          const github = serving.some((webhook) => webhook.name === "github" && webhook.secrets > 0);
          const send = "davit send github examples/demo/1-issue-labeled.json --event issues";
          return (
            <ol className="flex flex-col">
              <Step done={serving.length > 0} title="A webhook serves">
                {serving.length > 0
                  ? `It is at ${serving.map((webhook) => webhook.endpoint).join(", ")}.`
                  : "Put a plugin's library into the plugins folder and name it in davit.yaml under webhooks."}
              </Step>
              <Step done={ready !== undefined} title="It has a secret to check signatures with">
                {ready
                  ? `${ready.name} has one.`
                  : "Set the variable that secret_env names, GITHUB_WEBHOOK_SECRET for one, and start davit again."}
              </Step>
              <Step done={false} title="A signed event comes">
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
              </Step>
            </ol>
          );
        }}
      </Loaded>
    </Card>
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
