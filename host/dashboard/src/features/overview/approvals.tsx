// What waits for a person, and what was decided of late.
import { Link } from "@tanstack/react-router";
import { useLive } from "../../api/live";
import { approvals, decisions } from "../../api/queries";
import { Card } from "../../components/card";
import { Loaded } from "../../components/states";
import { Time } from "../../components/time";
import { usd, words } from "../../lib/format";
import { useNow } from "../../lib/now";

const few = 5;
const line = "relative flex items-center gap-3 border-t border-line px-4 py-2 first:border-t-0 hover:bg-raised";

export function ApprovalsCard() {
  // Those that lapse first, as the page of approvals has them.
  const query = useLive(approvals({ order: "oldest", limit: few }));
  const now = useNow();
  return (
    <Card
      title="Needs approval"
      note="longest waiting first"
      aside={
        <Link to="/approvals" className="link text-sm" aria-label="Needs approval: all">
          All
        </Link>
      }
    >
      <Loaded query={query} lines={3}>
        {(data) =>
          data.approvals.length === 0 ? (
            <p className="px-4 py-3 text-sm text-muted">Nothing waits for a person.</p>
          ) : (
            <ul aria-label="Waiting for approval">
              {data.approvals.map(({ task, approval, chain_cost_usd }) => (
                <li key={task.task_id} className={line}>
                  <div className="min-w-0 flex-1">
                    <TaskLink id={task.task_id} title={task.title} />
                    <span className="block truncate text-xs text-muted">
                      {task.current_agent}
                      {chain_cost_usd > 0 && ` · ${usd(chain_cost_usd)} so far`}
                    </span>
                  </div>
                  <span className="text-right text-xs text-muted">
                    <span className="block">
                      asked <Time iso={approval.asked_at} className="relative" />
                    </span>
                    {approval.deadline && (
                      <span className={`block ${Date.parse(approval.deadline) - now < 3_600_000 ? "text-wait" : ""}`}>
                        ends <Time iso={approval.deadline} className="relative" />
                      </span>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

export function DecisionsCard() {
  const query = useLive(decisions({ limit: few }));
  return (
    <Card title="Latest decisions">
      <Loaded query={query} lines={3}>
        {(data) =>
          data.decisions.length === 0 ? (
            <p className="px-4 py-3 text-sm text-muted">Nothing was decided yet.</p>
          ) : (
            <ul aria-label="Decisions">
              {data.decisions.map((each) => (
                <li key={`${each.task_id} ${each.at} ${each.kind}`} className={line}>
                  <div className="min-w-0 flex-1">
                    <TaskLink id={each.task_id} title={each.title} />
                    <span className="block truncate text-xs text-muted">
                      {words(each.kind)}
                      {each.by !== null && ` by ${each.by}`}
                      {each.comment && `: “${each.comment}”`}
                    </span>
                  </div>
                  <Time iso={each.at} className="text-xs text-muted" />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

function TaskLink({ id, title }: { id: string; title: string }) {
  return (
    <Link to="/tasks/$id" params={{ id }} className="block truncate font-medium after:absolute after:inset-0">
      {title || "(no title)"}
    </Link>
  );
}
