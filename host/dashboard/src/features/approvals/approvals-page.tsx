// What waits for a person, and what persons have decided.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useLive } from "../../api/live";
import { overview } from "../../api/queries";
import { Page, PageHead } from "../../components/card";
import { Tabs } from "../../components/tabs";
import { count } from "../../lib/format";
import { useTitle } from "../../lib/title";
import { Decided } from "./decided";
import { Waiting } from "./waiting";

export function ApprovalsPage() {
  useTitle("Approvals");
  const search = useSearch({ from: "/approvals" });
  const navigate = useNavigate({ from: "/approvals" });
  const set = (name: string, value: string): void => {
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }) });
  };
  const waiting = useLive(overview()).data?.queue.awaiting_approval;
  const shown = search.show === "decided" ? "Decided" : "Waiting";
  return (
    <Page>
      <PageHead title="Approvals" note={waiting !== undefined && (waiting === 0 ? "nothing waits" : `${count(waiting)} waiting`)}>
        <Tabs
          name="Approvals"
          tabs={["Waiting", "Decided"]}
          shown={shown}
          onShow={(tab) => set("show", tab === "Decided" ? "decided" : "")}
        />
      </PageHead>
      <div role="tabpanel" aria-label={shown}>
        {shown === "Decided" ? (
          <Decided />
        ) : (
          <Waiting agent={search.agent} onAgent={(agent) => set("agent", agent)} />
        )}
      </div>
    </Page>
  );
}
