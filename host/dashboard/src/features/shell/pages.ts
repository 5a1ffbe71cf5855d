import type { IconName } from "../../components/icon";
import { useMayAct } from "../../api/session";

// Those in front stand on a phone, too; the others behind one more touch.
export const inFront = 4;

const pages = [
  { to: "/", name: "Overview", icon: "overview", keys: "g o" },
  { to: "/tasks", name: "Tasks", icon: "tasks", keys: "g t" },
  { to: "/approvals", name: "Approvals", icon: "approvals", keys: "g w" },
  { to: "/deliveries", name: "Deliveries", icon: "deliveries", keys: "g d" },
  { to: "/agents", name: "Agents", icon: "agents", keys: "g a" },
  { to: "/costs", name: "Costs", icon: "costs", keys: "g c" },
  { to: "/plugins", name: "Plugins", icon: "plugins", keys: "g p" },
  { to: "/audit", name: "Audit", icon: "audit", keys: "g u", acts: true },
] as const satisfies readonly { to: string; name: string; icon: IconName; keys: `g ${string}`; acts?: true }[];

export type ShownPage = (typeof pages)[number];

// Those that whoever is signed in may see.
export function usePages(): ShownPage[] {
  const mayAct = useMayAct();
  return pages.filter((page) => mayAct || !("acts" in page));
}
