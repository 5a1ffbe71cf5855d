import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { parseExactly } from "../../api/exact-json";
import { useLive } from "../../api/live";
import { delivery as deliveryQuery, useAct } from "../../api/queries";
import type { DeliveryDetail, Json, Rehearsal } from "../../api/schema";
import { Acts } from "../../components/acts";
import { BackLink } from "../../components/back-link";
import { Badge, VerdictBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Card, Fact, Facts, Page } from "../../components/card";
import { Copy } from "../../components/copy";
import { Dialog } from "../../components/dialog";
import { JsonTree } from "../../components/json-tree";
import { notify } from "../../components/notices";
import { OutsideLink } from "../../components/outside-link";
import { Loaded } from "../../components/states";
import { Tabs } from "../../components/tabs";
import { Time } from "../../components/time";
import { bytes, counted, shortId, times } from "../../lib/format";
import { save } from "../../lib/save";
import { useTitle } from "../../lib/title";

export function DeliveryPage() {
  const { id } = useParams({ from: "/deliveries/$id" });
  const query = useLive(deliveryQuery(id));
  useTitle("Delivery");
  return (
    <Page key={id}>
      <BackLink to="/deliveries">Deliveries</BackLink>
      {!query.data && <h1 className="sr-only">Delivery</h1>}
      <Loaded query={query} lines={8}>
        {(delivery) => <Whole key={delivery.delivery_id} delivery={delivery} />}
      </Loaded>
    </Page>
  );
}

function Whole({ delivery }: { delivery: DeliveryDetail }) {
  return (
    <>
      <header className="flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h1 className="text-xl leading-snug font-semibold tracking-tight wrap-anywhere">
            {delivery.webhook}: {delivery.message || delivery.verdict}
          </h1>
          <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
            <VerdictBadge verdict={delivery.verdict} />
            <Time iso={delivery.received_at} />
            <span>{bytes(delivery.body_bytes)}</span>
            {delivery.tested_by === null ? (
              <span>from {delivery.remote_address}</span>
            ) : (
              <Badge tone="plum">test event by {delivery.tested_by}</Badge>
            )}
          </div>
        </div>
        <Replay delivery={delivery} />
      </header>
      <div className="grid gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-4">
          <Tasks ids={delivery.task_ids} />
          <Body delivery={delivery} />
          <Tree title="Headers" note="secrets are left out" value={delivery.headers} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <About delivery={delivery} />
          <Tree title="Timing of the hooks" value={delivery.timings} />
          <Tree title="Details" value={delivery.details} />
        </div>
      </div>
    </>
  );
}

function Tree({ title, note, value }: { title: string; note?: string; value: Json }) {
  if (value === null || (typeof value === "object" && Object.keys(value).length === 0)) return null;
  return (
    <Card title={title} {...(note ? { note } : {})}>
      <JsonTree value={value} what={title.toLowerCase()} />
    </Card>
  );
}

function Tasks({ ids }: { ids: string[] }) {
  if (ids.length === 0) return null;
  return (
    <Card title={ids.length === 1 ? "Its task" : "Its tasks"}>
      <ul className="py-1">
        {ids.map((id) => (
          <li key={id} className="px-4 py-1.5">
            <Link to="/tasks/$id" params={{ id }} className="link font-mono text-sm">
              {id}
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function About({ delivery }: { delivery: DeliveryDetail }) {
  return (
    <Card title="About">
      <Facts>
        <Fact name="Sender's id">
          <span className="font-mono text-xs">{delivery.delivery_key}</span>
        </Fact>
        <Fact name="Delivery">
          <code className="font-mono text-xs">{shortId(delivery.delivery_id)}</code>
          <Copy text={delivery.delivery_id} what="the delivery's id" />
        </Fact>
        <Fact name="Request">
          <span className="font-mono text-xs">
            {delivery.method} {delivery.path}
            {delivery.query && `?${delivery.query}`}
          </span>
        </Fact>
        {delivery.entity && (
          <Fact name="Is about">
            <Link to="/tasks" search={{ entity: delivery.entity }} className="link">
              {delivery.entity}
            </Link>
          </Fact>
        )}
        {delivery.duplicates > 0 && <Fact name="Came again">{times(delivery.duplicates)}</Fact>}
        {delivery.tries > 0 && <Fact name="Tries of its hooks">{delivery.tries}</Fact>}
        {delivery.secret_number !== null && <Fact name="Signed with">secret {delivery.secret_number}</Fact>}
        {delivery.plugin_version && <Fact name="Plugin">{delivery.plugin_version}</Fact>}
        {delivery.replay_of && (
          <Fact name="Replay of">
            <Link to="/deliveries/$id" params={{ id: delivery.replay_of }} className="link">
              this delivery
            </Link>
          </Fact>
        )}
        {delivery.replayed_by && <Fact name="Replayed by">{delivery.replayed_by}</Fact>}
      </Facts>
      {delivery.links.length > 0 && (
        <ul className="flex flex-col gap-1 border-t border-line px-4 py-3 text-sm">
          {delivery.links.map((link) => (
            <li key={`${link.rel} ${link.key} ${link.url}`}>
              <OutsideLink url={link.url}>{link.key || link.rel}</OutsideLink>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const mostRaw = 256 * 1024;

export function Body({ delivery }: { delivery: DeliveryDetail }) {
  const { body } = delivery;
  const tree = parsed(delivery.body);
  const [view, setView] = useState(tree === undefined ? "Raw" : "Tree");
  return (
    <Card
      title="Body"
      note={bytes(delivery.body_bytes)}
      aside={
        body !== null && (
          <>
            {tree !== undefined && <Tabs name="Body" tabs={["Tree", "Raw"]} shown={view} onShow={setView} />}
            <Button
              look="quiet"
              aria-label="Save the body"
              onClick={() => save(new Blob([body]), `delivery-${delivery.delivery_id}.${tree === undefined ? "txt" : "json"}`)}
            >
              Save
            </Button>
          </>
        )
      }
    >
      {body === null ? (
        <p className="px-4 py-3 text-sm text-muted">It is no text.</p>
      ) : view === "Tree" && tree !== undefined ? (
        <JsonTree value={tree} what="the body" />
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre tabIndex={0} className="max-h-[32rem] overflow-auto px-4 py-3 font-mono text-xs wrap-anywhere whitespace-pre-wrap">
          {body.slice(0, mostRaw)}
          {body.length > mostRaw && `\n… the rest is not shown: save it to have all ${bytes(delivery.body_bytes)}`}
        </pre>
      )}
    </Card>
  );
}

function parsed(body: string | null): Json | undefined {
  if (body === null) return undefined;
  try {
    return parseExactly(body) as Json;
  } catch {
    return undefined;
  }
}

function Replay({ delivery }: { delivery: DeliveryDetail }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState<Rehearsal | null>(null);
  const path = (): string => `/api/deliveries/${encodeURIComponent(delivery.delivery_id)}/replay`;
  const rehearse = useAct<{ dry_run: true }, Rehearsal>(path);
  const replay = useAct<object, { delivery_id: string }>(path);
  const failed = (error: Error): void => notify("bad", error.message);
  return (
    <Acts>
      <div className="flex gap-2">
        <Button
          icon="search"
          disabled={rehearse.isPending}
          onClick={() => rehearse.mutate({ dry_run: true }, { onSuccess: setSaid, onError: failed })}
        >
          Dry run
        </Button>
        <Button
          icon="retry"
          onClick={() => {
            replay.reset();
            setAsking(true);
          }}
        >
          Replay
        </Button>
        {said && (
          <Dialog title="What its hooks would make of it now" onClose={() => setSaid(null)}>
            <p className="flex items-center gap-2">
              <VerdictBadge verdict={said.verdict} /> <span className="wrap-anywhere">{said.message}</span>
            </p>
            <p className="text-sm text-muted">
              {counted(said.tasks.length, "task")} and {counted(said.actions.length, "action")}; nothing of it was done.
            </p>
            <div className="max-h-80 overflow-auto rounded-lg border border-line">
              <JsonTree value={{ tasks: said.tasks, actions: said.actions, details: said.details }} what="the answer" />
            </div>
          </Dialog>
        )}
        {asking && (
          <Dialog title="Replay this delivery?" onClose={() => setAsking(false)}>
            <p className="text-sm text-muted">
              Its hooks run again, as for a new delivery: what they ask for is done, also where it was done before.
            </p>
            {/* A notice would be behind the dialog. */}
            {replay.isError && (
              <p role="alert" className="text-sm wrap-anywhere text-bad">
                {replay.error.message}
              </p>
            )}
            <div className="flex justify-end gap-2">
              <Button onClick={() => setAsking(false)}>Back</Button>
              <Button
                look="main"
                disabled={replay.isPending}
                onClick={() =>
                  replay.mutate(
                    {},
                    {
                      onSuccess: (made) => {
                        setAsking(false);
                        notify("good", "Replayed: this is the new delivery.");
                        void navigate({ to: "/deliveries/$id", params: { id: made.delivery_id } });
                      },
                    },
                  )
                }
              >
                Replay
              </Button>
            </div>
          </Dialog>
        )}
      </div>
    </Acts>
  );
}
