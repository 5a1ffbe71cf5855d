// The tasks that handed over to one another, as the tree they are.
import { Link } from "@tanstack/react-router";
import type { ChainLink, TaskDetail } from "../../api/schema";
import { StatusBadge } from "../../components/badge";
import { Card } from "../../components/card";
import { usd } from "../../lib/format";

export function ChainCard({ task }: { task: TaskDetail }) {
  if (task.chain.length < 2) return null;
  return (
    <Card title="Chain" note={`${task.chain_tasks} tasks · ${usd(task.chain_cost_usd)}`}>
      <ol className="py-2">
        {rows(task.chain).map(({ link, depth }) => (
          <li
            key={link.task_id}
            aria-current={link.task_id === task.task_id || undefined}
            className="relative flex items-center gap-2 px-4 py-1.5 hover:bg-raised aria-[current=true]:bg-sunken"
          >
            {depth > 0 && (
              <span aria-hidden="true" className="text-line-strong" style={{ paddingLeft: `${depth - 1}rem` }}>
                └
              </span>
            )}
            <Link
              to="/tasks/$id"
              params={{ id: link.task_id }}
              className="min-w-0 truncate text-sm font-medium after:absolute after:inset-0"
            >
              {link.agent}
            </Link>
            <span className="ml-auto flex items-center gap-2 text-sm">
              {link.total_cost_usd > 0 && <span className="text-muted">{usd(link.total_cost_usd)}</span>}
              <StatusBadge status={link.status} />
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

// Parents before their children, each with how far below the first it stands. One whose parent is not there stands
// as a first one.
export function rows(chain: ChainLink[]): { link: ChainLink; depth: number }[] {
  const known = new Set(chain.map((link) => link.task_id));
  const children = new Map<string | null, ChainLink[]>();
  for (const link of chain) {
    const parent = link.parent_id !== null && known.has(link.parent_id) ? link.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), link]);
  }
  const ordered: { link: ChainLink; depth: number }[] = [];
  const visit = (parent: string | null, depth: number): void => {
    for (const link of children.get(parent) ?? []) {
      ordered.push({ link, depth });
      visit(link.task_id, depth + 1);
    }
  };
  visit(null, 0);
  return ordered;
}
