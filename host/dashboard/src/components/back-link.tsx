// From a task, say, back to the list of them as it was seen last: with its filters, where one was in it.
import { Link } from "@tanstack/react-router";
import { listSeen } from "../lib/place";
import { Icon } from "./icon";

export function BackLink({ to, children }: { to: "/tasks" | "/deliveries"; children: string }) {
  const seen = listSeen(to);
  return (
    <Link
      to={to}
      {...(seen ? { search: seen.search, state: { asIn: seen.entry } } : {})}
      className="inline-flex items-center gap-1 self-start text-sm text-muted hover:text-ink"
    >
      <Icon name="back" size={14} /> {children}
    </Link>
  );
}
