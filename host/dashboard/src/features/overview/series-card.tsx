// What ran and what it cost, by the hour of a day or the day of a month.
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useLive } from "../../api/live";
import { series } from "../../api/queries";
import { seriesBuckets, seriesMetrics } from "../../api/schema";
import { Columns } from "../../components/bars";
import { Card } from "../../components/card";
import { Choice } from "../../components/choice";
import { Outdated } from "../../components/outdated";
import { Loaded } from "../../components/states";
import { seriesColumns, seriesEnds, seriesSum, valueText } from "./series";

const names = { executions: "Executions", tasks: "New tasks", cost: "Cost", hour: "24 hours", day: "30 days" } as const;

export function SeriesCard() {
  const { metric = "executions", bucket = "day" } = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const query = useLive({ ...series({ metric, bucket }), placeholderData: (before) => before }, "slow");
  return (
    <Card
      title="Activity"
      {...(query.data && !query.isPlaceholderData ? { note: valueText(query.data.metric, seriesSum(query.data)) } : {})}
      aside={
        <Link to="/costs" className="link text-sm">
          Costs
        </Link>
      }
    >
      <div className="flex flex-wrap justify-between gap-2 px-3 pt-2">
        <Choice
          label="What is counted"
          values={seriesMetrics}
          names={names}
          value={metric}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, metric: value }) })}
        />
        <Choice
          label="How far back"
          values={seriesBuckets}
          names={names}
          value={bucket}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, bucket: value }) })}
        />
      </div>
      <Loaded query={query} lines={3}>
        {(data) => {
          const [first, last] = seriesEnds(data);
          const wrong = seriesColumns(data).reduce((sum, column) => sum + column.bad, 0);
          return (
            <Outdated is={query.isPlaceholderData}>
              <div className="p-4 pt-2">
                <Columns
                  columns={seriesColumns(data)}
                  summary={`${names[metric]} of each ${data.bucket} from ${first} to ${last}, ${valueText(data.metric, seriesSum(data))} in all`}
                />
                <div className="mt-1 flex justify-between gap-x-3 text-xs text-muted">
                  <span>{first}</span>
                  <span>{last} (UTC)</span>
                </div>
                {wrong > 0 && <p className="mt-1 text-xs text-bad">{`${valueText(data.metric, wrong)} went wrong`}</p>}
              </div>
            </Outdated>
          );
        }}
      </Loaded>
    </Card>
  );
}
