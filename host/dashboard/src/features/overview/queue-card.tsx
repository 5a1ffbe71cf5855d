// How deep the queue is and was: read once, then carried on by what the stream tells (api/queue-series.ts).
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense, lazy } from "react";
import { useLive } from "../../api/live";
import { queueSeries } from "../../api/queries";
import type { Overview } from "../../api/schema";
import { Card } from "../../components/card";
import { Choice } from "../../components/choice";
import { Outdated } from "../../components/outdated";
import { Loaded, Loading } from "../../components/states";
import { type Span, bucketOf, spans } from "./queue-depth";

const QueueChart = lazy(() => import("./queue-chart").then((part) => ({ default: part.QueueChart })));

const names: Record<Span, string> = { hour: "Hour", day: "Day", week: "Week" };

export function QueueCard({ counts }: { counts: Overview["queue"] }) {
  const { queue: span = "hour" } = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const query = useLive({ ...queueSeries({ bucket: bucketOf[span] }), placeholderData: (before) => before }, "slow");
  return (
    <Card
      title="Queue"
      note={`of the last ${span}`}
      aside={
        <Choice
          label="How far back the queue is shown"
          values={spans}
          names={names}
          value={span}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, queue: value }) })}
        />
      }
    >
      <Loaded query={query} lines={4}>
        {(data) => (
          <Outdated is={query.isPlaceholderData}>
            <Suspense fallback={<Loading lines={4} />}>
              <QueueChart series={data} counts={counts} />
            </Suspense>
          </Outdated>
        )}
      </Loaded>
    </Card>
  );
}
