import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Parameters, queryText } from "../../api/client";
import { useLive } from "../../api/live";
import { agents, chains, costs, queue } from "../../api/queries";
import { type CostLine, type Costs, costGroups } from "../../api/schema";
import { Bars } from "../../components/bars";
import { Budgets } from "../../components/budgets";
import { Card, Page, PageHead } from "../../components/card";
import { ExportButton } from "../../components/export-button";
import { Outdated, useIsOutdated } from "../../components/outdated";
import { Select } from "../../components/select";
import { Empty, Loaded } from "../../components/states";
import { Wide } from "../../components/wide";
import { compact, count, duration, percent, usd, words } from "../../lib/format";
import { useNow } from "../../lib/now";
import { type Period, periodNames, periods, startOf } from "../../lib/period";
import { useTitle } from "../../lib/title";

export function CostsPage() {
  useTitle("Costs");
  const search = useSearch({ from: "/costs" });
  const navigate = useNavigate({ from: "/costs" });
  const now = useNow();
  const group = search.by ?? "agent";
  const period = search.period ?? "30d";
  const wanted = { agent: search.agent, start_date: search.period && startOf(search.period, now) };
  const parameters = { group_by: group, ...wanted };
  const query = useLive({
    ...costs(parameters),
    placeholderData: (before) => before,
  });
  const outdated = useIsOutdated(query, JSON.stringify(search));
  const agentNames = (useLive(agents(), "slow").data?.agents ?? []).map((agent) => agent.name);
  const set = (name: string, value: string): void => {
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }) });
  };
  return (
    <Page>
      <PageHead title="Costs">
        <Select name="Agent" value={search.agent} options={agentNames} any="all" onChange={(value) => set("agent", value)} />
        <Select
          name="Time"
          value={period}
          usual="30d"
          any={null}
          options={periods.map((period) => [period, periodNames[period]])}
          onChange={(value) => set("period", value)}
        />
        <ExportButton
          path={`/api/dashboard/cost-breakdown.csv${queryText(parameters)}`}
          file={`costs-by-${group}.csv`}
        >
          CSV
        </ExportButton>
      </PageHead>
      <Card
        title={`By ${words(group)}`}
        {...(query.data && !outdated ? { note: `${usd(query.data.total_cost_usd)} in all${group === "day" ? " · days are UTC" : ""}` } : {})}
        aside={
          <div role="group" aria-label="Group by" className="flex flex-wrap gap-0.5">
            {costGroups.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={each === group}
                onClick={() => set("by", each === "agent" ? "" : each)}
                className="rounded-[6px] px-2 py-1 text-sm text-muted hover:bg-sunken aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-ink"
              >
                {words(each)}
              </button>
            ))}
          </div>
        }
      >
        <Loaded query={query}>
          {(data) => (
            <Outdated is={outdated}>
              <Breakdown costs={data} />
            </Outdated>
          )}
        </Loaded>
      </Card>
      <BudgetsCard />
      <Chains parameters={wanted} period={period} filter={JSON.stringify([search.agent, period])} />
    </Page>
  );
}

// Above the column of groups.
const headOf = (group: Costs["group_by"]): string => (group === "day" ? "day (UTC)" : words(group));

function nameOf(line: CostLine): string {
  return line.group ?? "(none)";
}

// A name from outside that is long takes some lines, and no width from the numbers beside it.
function Name({ children }: { children: string }) {
  return (
    <span title={children} className="line-clamp-3 max-w-40 wrap-break-word sm:max-w-72 print:line-clamp-none">
      {children}
    </span>
  );
}

// Of days, which come in their order, all of the longest period; of others, which come with the dearest first, the first.
const mostDays = 92;
const mostBars = 31;

function Breakdown({ costs }: { costs: Costs }) {
  if (costs.costs.length === 0) {
    return (
      <Empty icon="costs" title="Nothing was run in this time">
        Executions are counted here when they end, with what their agents report.
      </Empty>
    );
  }
  const byDay = costs.group_by === "day";
  const drawn = byDay ? costs.costs.slice(-mostDays) : costs.costs.slice(0, mostBars);
  const left = byDay ? costs.costs.slice(0, -mostDays) : costs.costs.slice(mostBars);
  return (
    <>
      <div className="py-3">
        <Bars
          caption={`Cost by ${words(costs.group_by)}`}
          head={[headOf(costs.group_by), "Cost"]}
          bars={drawn.map((line) => ({
            key: nameOf(line),
            name: nameOf(line),
            value: line.total_cost_usd,
            label: usd(line.total_cost_usd),
            note: `${compact(line.total_tokens)} tokens`,
          }))}
        />
        {left.length > 0 && (
          <p className="px-4 pt-1 text-sm text-muted">
            {`and ${count(left.length)} ${byDay ? "days before" : "more"}, ${usd(left.reduce((sum, line) => sum + line.total_cost_usd, 0))}`}
          </p>
        )}
      </div>
      <Wide name="Numbers" className="border-t border-line">
        <table className="plain w-full text-sm">
          <thead>
            <tr>
              <th scope="col">{headOf(costs.group_by)}</th>
              {["Cost", "Executions", "Time", "Input", "Output", "Cache read", "Cache write"].map((head) => (
                <th key={head} scope="col" className="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {costs.costs.map((line) => (
              <tr key={nameOf(line)}>
                <td className="font-medium">
                  <Name>{nameOf(line)}</Name>
                </td>
                <td className="number font-medium">{usd(line.total_cost_usd)}</td>
                <td className="number">{count(line.executions)}</td>
                <td className="number">{duration(line.total_duration_seconds)}</td>
                <td className="number">{count(line.input_tokens)}</td>
                <td className="number">{count(line.output_tokens)}</td>
                <td className="number">{count(line.cache_read_tokens)}</td>
                <td className="number">{count(line.cache_write_tokens)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td className="font-semibold">In all</td>
              <td className="number font-semibold">{usd(costs.total_cost_usd)}</td>
              <td colSpan={6} />
            </tr>
          </tfoot>
        </table>
      </Wide>
    </>
  );
}

function BudgetsCard() {
  const budgets = useLive(queue()).data?.budgets ?? [];
  if (budgets.length === 0) return null;
  return (
    <Card title="Budgets" note="days are UTC">
      <Budgets budgets={budgets} />
    </Card>
  );
}

function Chains({ parameters, period, filter }: { parameters: Parameters; period: Period; filter: string }) {
  const query = useLive({ ...chains(parameters), placeholderData: (before) => before }, "slow");
  const outdated = useIsOutdated(query, filter);
  return (
    <Card title="Chains of agents" note={`ended in the ${periodNames[period].toLowerCase()}, by UTC days`}>
      <Loaded query={query} lines={2}>
        {(data) => {
          const patterns = Object.entries(data.chain_patterns);
          if (patterns.length === 0) {
            return (
              <Outdated is={outdated}>
                <Empty icon="link" title="No chain came to its end in this time" />
              </Outdated>
            );
          }
          return (
            <Outdated is={outdated}>
              <Wide name="Chains">
                <table className="plain w-full text-sm">
                  <thead>
                    <tr>
                      <th scope="col">Chain</th>
                      <th scope="col" className="number">
                        Count
                      </th>
                      <th scope="col" className="number">
                        Success
                      </th>
                      <th scope="col" className="number">
                        Average
                      </th>
                      <th scope="col" className="number">
                        Cost
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {patterns.map(([name, pattern]) => (
                      <tr key={name}>
                        <td>
                          <Name>{name}</Name>
                        </td>
                        <td className="number">{count(pattern.count)}</td>
                        <td className="number">{pattern.success_rate === null ? "–" : percent(pattern.success_rate)}</td>
                        <td className="number">{pattern.avg_duration === null ? "–" : duration(pattern.avg_duration)}</td>
                        <td className="number">{usd(pattern.total_cost_usd)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Wide>
            </Outdated>
          );
        }}
      </Loaded>
    </Card>
  );
}
