// How many tasks an agent may work on at one time: as configured, or as set here until somebody clears it.
import { useState } from "react";
import { useAct } from "../../api/queries";
import type { Agent } from "../../api/schema";
import { useMayAct } from "../../api/session";
import { Button } from "../../components/button";
import { Dialog } from "../../components/dialog";
import { notify } from "../../components/notices";

const most = 256;

export function Concurrency({ agent }: { agent: Agent }) {
  const [open, setOpen] = useState(false);
  const mayAct = useMayAct();
  return (
    <>
      {mayAct ? (
        <button
          type="button"
          className="link min-h-6 min-w-6"
          aria-label={`Concurrency of ${agent.name}: ${agent.concurrency}. Change it`}
          onClick={() => setOpen(true)}
        >
          {agent.concurrency}
        </button>
      ) : (
        agent.concurrency
      )}
      {agent.concurrency_is_set && (
        <span className="text-xs text-muted"> set by command, configured {agent.configured_concurrency}</span>
      )}
      {open && <Change agent={agent} onClose={() => setOpen(false)} />}
    </>
  );
}

function Change({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const [typed, setTyped] = useState(String(agent.concurrency));
  const path = (): string => `/api/agents/${encodeURIComponent(agent.name)}/concurrency`;
  const set = useAct<{ concurrency: number }, Agent>(path, "PUT");
  const clear = useAct<object, Agent>(path, "DELETE");
  const number = Number(typed);
  const isGood = Number.isInteger(number) && number >= 1 && number <= most;
  const error = set.error ?? clear.error;
  const done = (now: Agent): void => {
    notify("good", `${agent.name} works on ${now.concurrency} at one time.`);
    onClose();
  };
  return (
    <Dialog title={`Concurrency of ${agent.name}`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood) set.mutate({ concurrency: number }, { onSuccess: done });
        }}
      >
        <label className="flex flex-col gap-1 text-sm font-medium">
          Tasks at one time
          <input
            type="number"
            min={1}
            max={most}
            required
            className="field w-28 font-normal"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <p className="text-sm text-muted">
          It holds at once, over restarts too, until it is cleared. What runs goes on. davit.yaml says{" "}
          {agent.configured_concurrency}.
        </p>
        {error && (
          <p role="alert" className="text-sm wrap-anywhere text-bad">
            {error.message}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {agent.concurrency_is_set && (
            <Button disabled={clear.isPending} onClick={() => clear.mutate({}, { onSuccess: done })}>
              As configured ({agent.configured_concurrency})
            </Button>
          )}
          <Button look="main" type="submit" disabled={!isGood || set.isPending}>
            Set
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
