import { useId, useState } from "react";
import type { Queue } from "../api/schema";
import { count, usd } from "../lib/format";
import { Button } from "./button";
import { Time } from "./time";

type Budget = Queue["budgets"][number];

const scopes: Record<Budget["scope"], string> = {
  day: "All agents, per day",
  agent: "Agent",
  actor: "Actor",
};

const usedOf = (budget: Budget): number => budget.spent_usd + budget.reserved_usd;
const shareOf = (budget: Budget): number => (budget.limit_usd > 0 ? Math.min(usedOf(budget) / budget.limit_usd, 1) : 1);

// Actors come from outside, and there may be any number of them: these are seen at first.
const mostActors = 5;

// What may be spent, what was, and what is left: of the day, of agents, and of the actors who are nearest to their limit.
export function Budgets({ budgets }: { budgets: Budget[] }) {
  const [open, setOpen] = useState(false);
  const list = useId();
  const of = (scope: Budget["scope"]): Budget[] => budgets.filter((budget) => budget.scope === scope);
  const actors = of("actor").sort((one, other) => shareOf(other) - shareOf(one) || usedOf(other) - usedOf(one));
  const fixed = [...of("day"), ...of("agent")];
  const foldable = actors.length > mostActors;
  return (
    <>
      {fixed.length > 0 && <Lines budgets={fixed} />}
      {/* All of them are as high as the screen allows, and scroll by themselves. */}
      <div
        id={list}
        className={open && foldable ? "max-h-96 overflow-y-auto border-line not-first:border-t" : "border-line not-first:border-t empty:hidden"}
        {...(open && foldable ? { role: "region", "aria-label": "Budgets of all actors", tabIndex: 0 } : {})}
      >
        {actors.length > 0 && <Lines budgets={open ? actors : actors.slice(0, mostActors)} />}
      </div>
      {foldable && (
        <div className="border-t border-line px-4 py-2">
          <Button aria-expanded={open} aria-controls={list} onClick={() => setOpen(!open)}>
            {open ? `The ${mostActors} nearest to their limit` : `All ${count(actors.length)} actors`}
          </Button>
        </div>
      )}
    </>
  );
}

function Lines({ budgets }: { budgets: Budget[] }) {
  return (
    <ul>
      {budgets.map((budget) => {
        const share = shareOf(budget);
        const color = share >= 1 ? "fill-bad" : share >= 0.8 ? "fill-wait" : "fill-accent";
        return (
          <li key={`${budget.scope}/${budget.key ?? ""}`} className="border-t border-line px-4 py-2.5 first:border-t-0">
            <div className="flex flex-wrap gap-x-2 text-sm">
              <span className="min-w-0 truncate font-medium" title={budget.key ?? undefined}>
                {scopes[budget.scope]}
                {budget.key && <span className="text-muted"> {budget.key}</span>}
              </span>
              <span className="ml-auto">
                {usd(Math.max(budget.limit_usd - usedOf(budget), 0))} left of {usd(budget.limit_usd)}
              </span>
            </div>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" className="mt-1 h-1.5 w-full rounded-full" aria-hidden="true">
              <rect width="100" height="1" className="fill-sunken" />
              <rect width={share * 100} height="1" className={color} />
            </svg>
            <p className="mt-1 text-xs text-muted">
              {usd(budget.spent_usd)} spent
              {budget.reserved_usd > 0 && `, ${usd(budget.reserved_usd)} set aside for what runs`}
              {budget.resumes_at && (
                <>
                  {" "}
                  · used up, goes on <Time iso={budget.resumes_at} />
                </>
              )}
            </p>
          </li>
        );
      })}
    </ul>
  );
}
