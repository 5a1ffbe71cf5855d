import type { Queue } from "../api/schema";
import { usd } from "../lib/format";
import { Time } from "./time";

const scopes: Record<Queue["budgets"][number]["scope"], string> = {
  day: "All agents, per day",
  agent: "Agent",
  actor: "Actor",
};

// What may be spent, what was, and what is left.
export function Budgets({ budgets }: { budgets: Queue["budgets"] }) {
  return (
    <ul>
      {budgets.map((budget) => {
        const used = budget.spent_usd + budget.reserved_usd;
        const share = budget.limit_usd > 0 ? Math.min(used / budget.limit_usd, 1) : 1;
        const color = share >= 1 ? "fill-bad" : share >= 0.8 ? "fill-wait" : "fill-accent";
        return (
          <li key={`${budget.scope}/${budget.key ?? ""}`} className="border-t border-line px-4 py-2.5 first:border-t-0">
            <div className="flex flex-wrap gap-x-2 text-sm">
              <span className="font-medium">
                {scopes[budget.scope]}
                {budget.key && <span className="text-muted"> {budget.key}</span>}
              </span>
              <span className="ml-auto">
                {usd(Math.max(budget.limit_usd - used, 0))} left of {usd(budget.limit_usd)}
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
