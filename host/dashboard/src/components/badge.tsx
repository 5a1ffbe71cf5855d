// A state in a word and a sign; the colour only repeats it.
import type { ReactNode } from "react";
import type { Outcome, TaskStatus, Verdict } from "../api/schema";
import { words } from "../lib/format";

export const tones = {
  good: "[--tone:var(--good)]",
  busy: "[--tone:var(--busy)]",
  wait: "[--tone:var(--wait)]",
  bad: "[--tone:var(--bad)]",
  calm: "[--tone:var(--calm)]",
  plum: "[--tone:var(--plum)]",
} as const;
export type Tone = keyof typeof tones;

export function Badge({ tone, sign, children }: { tone: Tone; sign?: string; children: ReactNode }) {
  return (
    <span
      className={`tone inline-flex max-w-full items-center gap-1 rounded-full border px-2 py-px text-xs leading-[1.15rem] font-medium whitespace-nowrap ${tones[tone]}`}
    >
      {sign && (
        <span aria-hidden="true" className={sign === "●" && tone === "busy" ? "working text-[0.6rem]" : "text-[0.65rem]"}>
          {sign}
        </span>
      )}
      {children}
    </span>
  );
}

const statuses: Record<TaskStatus, [Tone, string, string]> = {
  queued: ["calm", "○", "Queued"],
  running: ["busy", "●", "Running"],
  awaiting_approval: ["wait", "◆", "Needs approval"],
  completed: ["good", "✓", "Completed"],
  failed: ["bad", "✕", "Failed"],
  cancelled: ["calm", "⊘", "Cancelled"],
  parked: ["plum", "‖", "Parked"],
};

export function statusName(status: TaskStatus): string {
  return statuses[status][2];
}

export function statusTone(status: TaskStatus): Tone {
  return statuses[status][0];
}

export function statusSign(status: TaskStatus): string {
  return statuses[status][1];
}

export function StatusBadge({ status }: { status: TaskStatus }) {
  const [tone, sign, name] = statuses[status];
  return (
    <Badge tone={tone} sign={sign}>
      {name}
    </Badge>
  );
}

const outcomes: Record<Outcome, [Tone, string]> = {
  running: ["busy", "●"],
  completed: ["good", "✓"],
  failed: ["bad", "✕"],
  crashed: ["bad", "✕"],
  timed_out: ["bad", "✕"],
  cancelled: ["calm", "⊘"],
  lost: ["plum", "‖"],
  interrupted: ["plum", "‖"],
  over_budget: ["bad", "✕"],
  put_off: ["wait", "‖"],
  approval_refused: ["wait", "◆"],
};

export function outcomeTone(outcome: Outcome): Tone {
  return outcomes[outcome][0];
}

export function OutcomeBadge({ outcome }: { outcome: Outcome }) {
  const [tone, sign] = outcomes[outcome];
  return (
    <Badge tone={tone} sign={sign}>
      {words(outcome)}
    </Badge>
  );
}

const verdictLooks: Record<Verdict, [Tone, string]> = {
  queued: ["good", "✓"],
  ignored: ["calm", "○"],
  error: ["bad", "✕"],
  deferred: ["wait", "◆"],
  parked: ["plum", "‖"],
};

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const [tone, sign] = verdictLooks[verdict];
  return (
    <Badge tone={tone} sign={sign}>
      {verdict}
    </Badge>
  );
}

export function PluginBadge({ state }: { state: string }) {
  const look: [Tone, string] =
    state === "serving"
      ? ["good", "✓"]
      : state === "disabled"
        ? ["calm", "⊘"]
        : state === "being looked at"
          ? ["calm", "○"]
          : state === "refused" || state === "quarantined"
            ? ["bad", "✕"]
            : ["wait", "◆"];
  return (
    <Badge tone={look[0]} sign={look[1]}>
      {words(state)}
    </Badge>
  );
}
