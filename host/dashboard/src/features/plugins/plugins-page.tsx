import { useState } from "react";
import { useLive } from "../../api/live";
import { plugins, useAct, webhooks } from "../../api/queries";
import type { Plugin, Webhook } from "../../api/schema";
import { Acts } from "../../components/acts";
import { Badge, PluginBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Card, Fact, Facts, Page, PageHead } from "../../components/card";
import { Copy } from "../../components/copy";
import { HeldBack } from "../../components/held-back";
import { notify } from "../../components/notices";
import { Empty, Loaded } from "../../components/states";
import { Time } from "../../components/time";
import { count } from "../../lib/format";
import { isLookedAt, isWell, shownState } from "../../lib/plugins";
import { useTitle } from "../../lib/title";
import { TestEvent } from "./test-event";

export function PluginsPage() {
  useTitle("Plugins");
  const query = useLive(plugins(), "quick");
  const served = useLive(webhooks(), "slow").data?.webhooks ?? [];
  const [testing, setTesting] = useState<Webhook | null>(null);
  const rescan = useAct<object, { libraries: number; refused: number }>(() => "/api/plugins/rescan");
  return (
    <Page>
      <PageHead title="Plugins" {...(query.data ? { note: count(query.data.plugins.length) } : {})}>
        <Acts>
          <Button
            icon="retry"
            disabled={rescan.isPending}
            onClick={() =>
              rescan.mutate(
                {},
                {
                  onSuccess: (found) =>
                    notify("good", `${found.libraries} libraries, ${found.refused} of them refused.`, "plugins"),
                  onError: (error) => notify("bad", error.message, "plugins"),
                },
              )
            }
          >
            Look again
          </Button>
        </Acts>
      </PageHead>
      <Loaded query={query}>
        {(data) =>
          data.plugins.length === 0 ? (
            <Empty icon="plugins" title="No plugin was found">
              Put a library into the plugins folder: it appears here while you look.
            </Empty>
          ) : (
            <div className="flex flex-col gap-4">
              <Kind
                title="Not serving"
                plugins={data.plugins.filter((plugin) => !isWell(plugin) && plugin.held_back === null)}
                webhooks={served}
                onTest={setTesting}
              />
              <Kind title="Not replaced" plugins={data.plugins.filter((plugin) => plugin.held_back !== null)} webhooks={served} onTest={setTesting} />
              <Kind
                title="Webhooks"
                plugins={data.plugins.filter((plugin) => isWell(plugin) && plugin.kind === "webhook")}
                webhooks={served}
                onTest={setTesting}
              />
              <Kind
                title="Agents"
                plugins={data.plugins.filter((plugin) => isWell(plugin) && plugin.kind === "agent")}
                webhooks={[]}
                onTest={setTesting}
              />
            </div>
          )
        }
      </Loaded>
      {/* Not in the line of its webhook, which becomes another one with another file. */}
      {testing && (
        <TestEvent
          webhook={testing}
          now={served.find((webhook) => webhook.name === testing.name)}
          onClose={() => setTesting(null)}
        />
      )}
    </Page>
  );
}

type OnTest = (webhook: Webhook) => void;

function Kind({ title, plugins, webhooks, onTest }: { title: string; plugins: Plugin[]; webhooks: Webhook[]; onTest: OnTest }) {
  if (plugins.length === 0) return null;
  return (
    <Card title={title} note={count(plugins.length)}>
      <ul>
        {plugins.map((plugin) => (
          <PluginLine
            key={`${plugin.kind}/${plugin.name}/${plugin.sha256 ?? ""}`}
            plugin={plugin}
            onTest={onTest}
            webhook={plugin.kind === "webhook" ? webhooks.find((each) => each.name === plugin.name) : undefined}
          />
        ))}
      </ul>
    </Card>
  );
}

function PluginLine({ plugin, webhook, onTest }: { plugin: Plugin; webhook: Webhook | undefined; onTest: OnTest }) {
  return (
    <li className="border-t border-line first:border-t-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3">
        <h3 className="font-medium wrap-anywhere">{plugin.name}</h3>
        {plugin.version && <span className="text-sm text-muted">{plugin.version}</span>}
        <PluginBadge state={shownState(plugin)} />
        {plugin.override && <Badge tone="plum">{plugin.override} by command</Badge>}
        {plugin.kind !== "library" && (
          <Acts>
            <span className="ml-auto flex gap-2">
              {webhook?.state === "serving" && (
                <Button icon="deliveries" aria-label={`Send a test event to ${webhook.name}`} onClick={() => onTest(webhook)}>
                  Test
                </Button>
              )}
              <PluginActions plugin={plugin} />
            </span>
          </Acts>
        )}
      </div>
      {plugin.kind !== "library" && plugin.held_back && (
        <div className="px-4 pt-2">
          <HeldBack plugin={{ ...plugin, kind: plugin.kind }} />
        </div>
      )}
      {plugin.reason && !plugin.held_back && (
        <p className={`px-4 pt-2 text-sm wrap-anywhere whitespace-pre-wrap ${isWell(plugin) || isLookedAt(plugin) ? "text-muted" : "text-bad"}`}>
          {plugin.refusal && <code className="font-mono text-xs">{plugin.refusal.code}: </code>}
          {plugin.reason}
        </p>
      )}
      <Facts>
        {webhook ? (
          <>
            <Fact name="Address">
              <code className="font-mono text-xs">{webhook.endpoint}</code>
              <Copy text={location.origin + webhook.endpoint} what="the address" />
            </Fact>
            <Fact name="Secrets">
              {webhook.secrets > 0 ? count(webhook.secrets) : <span className="text-bad">none</span>}
            </Fact>
            <Fact name="Answers within">{webhook.answer_within_ms} ms</Fact>
          </>
        ) : (
          <Fact name="Kind">{plugin.kind}</Fact>
        )}
        {plugin.isolation && <Fact name="Runs in">{plugin.isolation === "inprocess" ? "the host" : "a process of its own"}</Fact>}
        {plugin.generation !== null && <Fact name="Generation">{plugin.generation}</Fact>}
        {typeof plugin.serving_generation === "number" && <Fact name="Still serving">generation {plugin.serving_generation}</Fact>}
        {plugin.loaded_at && (
          <Fact name="Loaded">
            <Time iso={plugin.loaded_at} />
          </Fact>
        )}
        {plugin.sha256 && (
          <Fact name="SHA-256">
            <code className="font-mono text-xs">{plugin.sha256.slice(0, 12)}</code>
            <Copy text={plugin.sha256} what="the hash" />
          </Fact>
        )}
        {plugin.source && (
          <Fact name="File" wide>
            {/* Resumed by a start: its copy is called by its hash. */}
            <span title={plugin.source}>
              {plugin.source.endsWith(`/${plugin.sha256 ?? ""}.so`) ? "davit's own copy" : plugin.source.split("/").at(-1)}
            </span>
          </Fact>
        )}
      </Facts>
    </li>
  );
}

type Verb = "enable" | "disable" | "clear";

const done: Record<Verb, string> = { enable: "Enabled", disable: "Disabled", clear: "Cleared" };

function PluginActions({ plugin }: { plugin: Plugin }) {
  const act = useAct<{ verb: Verb }>(
    ({ verb }) => `/api/plugins/${plugin.kind}/${encodeURIComponent(plugin.name)}/${verb}`,
    "POST",
    () => ({}),
  );
  const about = `${plugin.kind}/${plugin.name}`;
  const verbs: [Verb, string][] =
    plugin.state === "quarantined"
      ? [["clear", "Clear"]]
      : plugin.state === "disabled"
        ? [["enable", "Enable"]]
        : [["disable", "Disable"]];
  return (
    <>
      {verbs.map(([verb, label]) => (
        <Button
          key={verb}
          aria-label={`${label} ${plugin.name}`}
          disabled={act.isPending}
          onClick={() =>
            act.mutate(
              { verb },
              {
                onSuccess: () => notify("good", `${done[verb]} ${plugin.name}.`, about),
                onError: (error) => notify("bad", error.message, about),
              },
            )
          }
        >
          {label}
        </Button>
      ))}
    </>
  );
}
