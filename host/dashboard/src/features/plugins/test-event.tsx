// A test event for a webhook: the host signs it with the webhook's own secret and takes it like one that was sent.
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { timeNow } from "../../api/clock";
import { newestDelivery, useAct } from "../../api/queries";
import type { Rehearsal, TestOutcome, Webhook } from "../../api/schema";
import { Badge, VerdictBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Dialog } from "../../components/dialog";
import { JsonTree } from "../../components/json-tree";
import { Select } from "../../components/select";
import { counted, shortId, words } from "../../lib/format";
import { type Sample, ownSample, requestOf, sampleOf } from "./sample";

// What has become of the webhook since the dialog was opened, if that matters for what is sent; `now`: what is known of it.
function sinceThen(webhook: Webhook, now: Webhook | undefined): string | null {
  if (now?.state !== "serving")
    return `${webhook.name} does not serve any more${now ? ` (${words(now.state)})` : ""}: what is typed here can be sent when it does again.`;
  return now.sha256 === webhook.sha256 ? null : `The file of ${webhook.name} was replaced meanwhile: what is sent goes to the new one.`;
}

const empty: Sample = { headers: "", body: '{\n  \n}' };

// It stays with what is typed into it, whatever becomes of the webhook: `webhook` is as it was when it was opened.
export function TestEvent({ webhook, now, onClose }: { webhook: Webhook; now: Webhook | undefined; onClose: () => void }) {
  const { name, delivery_id_header: idHeader } = webhook;
  const [sample, setSample] = useState<Sample | null>(null);
  const [kept, setKept] = useState<{ id: string; sample: Sample } | null>(null);
  const [own] = useState(() => ownSample(webhook.metadata, timeNow()));
  const [begun, setBegun] = useState<"delivery" | "sample" | null>(null); // with what it was
  const [fault, setFault] = useState<string | null>(null);
  const [said, setSaid] = useState<Rehearsal | TestOutcome | null>(null);
  const send = useAct<object, Rehearsal | TestOutcome>(() => `/api/webhooks/${encodeURIComponent(webhook.name)}/test`);
  useEffect(() => {
    let gone = false;
    newestDelivery(name).then(
      (delivery) => {
        if (gone) return;
        const newest = delivery && { id: delivery.delivery_id, sample: sampleOf(delivery, idHeader) };
        setKept(newest);
        setBegun(newest ? "delivery" : own && "sample");
        setSample(newest?.sample ?? own ?? empty);
      },
      () => {
        if (gone) return;
        setBegun(own && "sample");
        setSample(own ?? empty);
      },
    );
    return () => {
      gone = true;
    };
  }, [name, idHeader, own]); // not the webhook itself: what was typed stays when it is told of anew
  const beginWith = (what: string): void => {
    const chosen = what === "sample" ? own : kept?.sample;
    if (!chosen) return;
    setBegun(what === "sample" ? "sample" : "delivery");
    setSample(chosen);
    setSaid(null);
    setFault(null);
  };
  const submit = (dryRun: boolean): void => {
    const request = requestOf(sample ?? empty);
    setFault("fault" in request ? request.fault : null);
    if ("fault" in request) return;
    setSaid(null);
    send.mutate({ ...request, dry_run: dryRun }, { onSuccess: setSaid, onError: (error) => setFault(error.message) });
  };
  const shown = sample ?? empty;
  const changed = sinceThen(webhook, now);
  return (
    <Dialog title={`Test event for ${webhook.name}`} onClose={onClose}>
      <p className="text-sm text-muted">
        davit signs it with the webhook&apos;s own secret, which nobody sees, and gives it a new id. It counts as a delivery
        and makes tasks, unless you only try it.{" "}
        {begun === "delivery" && kept && (
          <>
            Begun with{" "}
            <Link to="/deliveries/$id" params={{ id: kept.id }} className="link">
              delivery {shortId(kept.id)}
            </Link>
            .
          </>
        )}
        {begun === "sample" && "Begun with the sample that the plugin gives."}
      </p>
      {own && kept && (
        <Select
          name="Begin with"
          value={begun ?? undefined}
          any={null}
          options={[
            ["delivery", "its newest delivery"],
            ["sample", "the plugin's sample"],
          ]}
          onChange={beginWith}
        />
      )}
      <label className="flex flex-col gap-1 text-sm font-medium">
        Headers{webhook.event_header && <span className="font-normal text-muted">{webhook.event_header} names the event</span>}
        <textarea
          rows={3}
          spellCheck={false}
          disabled={sample === null}
          className="field font-mono text-xs font-normal"
          value={shown.headers}
          placeholder={webhook.event_header ? `${webhook.event_header}: …` : "Name: value"}
          onChange={(event) => setSample({ ...shown, headers: event.target.value })}
        />
      </label>
      <label className="flex flex-col gap-1 text-sm font-medium">
        Body
        <textarea
          rows={9}
          spellCheck={false}
          disabled={sample === null}
          className="field font-mono text-xs font-normal"
          value={shown.body}
          onChange={(event) => setSample({ ...shown, body: event.target.value })}
        />
      </label>
      {changed && (
        <p role="status" className="tone rounded-lg border px-3 py-2 text-sm [--tone:var(--wait)]">
          {changed}
        </p>
      )}
      {fault && (
        <p role="alert" className="text-sm wrap-anywhere text-bad">
          {fault}
        </p>
      )}
      {said && <Said said={said} />}
      <div className="flex justify-end gap-2">
        <Button icon="search" disabled={send.isPending || sample === null} onClick={() => submit(true)}>
          Dry run
        </Button>
        <Button look="main" icon="deliveries" disabled={send.isPending || sample === null} onClick={() => submit(false)}>
          Send
        </Button>
      </div>
    </Dialog>
  );
}

function Said({ said }: { said: Rehearsal | TestOutcome }) {
  if (said.dry_run) {
    return (
      <div role="status" className="rounded-lg border border-line">
        <p className="flex flex-wrap items-center gap-2 px-3 py-2 text-sm">
          <VerdictBadge verdict={said.verdict} />
          <span className="wrap-anywhere">{said.message}</span>
        </p>
        <p className="px-3 pb-2 text-sm text-muted">
          {counted(said.tasks.length, "task")} and {counted(said.actions.length, "action")}; nothing of it was done.
        </p>
        <div className="max-h-60 overflow-auto border-t border-line">
          <JsonTree value={{ tasks: said.tasks, actions: said.actions, details: said.details }} what="the answer" />
        </div>
      </div>
    );
  }
  const good = said.answered < 300;
  return (
    <div role="status" className="flex flex-col gap-1 rounded-lg border border-line px-3 py-2 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={good ? "good" : "bad"} sign={good ? "✓" : "✕"}>
          {said.answered} {words(said.outcome)}
        </Badge>
        <span className="wrap-anywhere">{said.message}</span>
      </p>
      <p className="flex flex-wrap gap-x-3">
        {said.delivery_id && (
          <Link to="/deliveries/$id" params={{ id: said.delivery_id }} className="link">
            Its delivery
          </Link>
        )}
        {said.task_ids.map((id) => (
          <Link key={id} to="/tasks/$id" params={{ id }} className="link">
            Task {shortId(id)}
          </Link>
        ))}
      </p>
    </div>
  );
}
