import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useLive, useLivePages } from "../../api/live";
import { deliveryPages, refusals, webhooks } from "../../api/queries";
import { type Delivery, verdicts } from "../../api/schema";
import { VerdictBadge } from "../../components/badge";
import { Card, Page, PageHead } from "../../components/card";
import { MorePages } from "../../components/more-pages";
import { Select } from "../../components/select";
import { Empty, ErrorState, Loading } from "../../components/states";
import { Time } from "../../components/time";
import { bytes, count, times, words } from "../../lib/format";
import { useListSeen } from "../../lib/place";
import { useTitle } from "../../lib/title";

export function DeliveriesPage() {
  useTitle("Deliveries");
  const search = useSearch({ from: "/deliveries" });
  const navigate = useNavigate({ from: "/deliveries" });
  const webhookNames = (useLive(webhooks(), "slow").data?.webhooks ?? []).map((webhook) => webhook.name);
  useListSeen("/deliveries", search);
  const query = useLivePages(deliveryPages(search));
  const set = (name: string, value: string): void => {
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }) });
  };
  const list = query.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const isFiltered = search.webhook !== undefined || search.verdict !== undefined;
  return (
    <Page>
      <PageHead title="Deliveries" {...(query.data ? { note: `${count(list.length)}${query.hasNextPage ? " newest" : ""}` } : {})}>
        <Select name="Webhook" value={search.webhook} options={webhookNames} onChange={(value) => set("webhook", value)} />
        <Select name="Verdict" value={search.verdict} options={verdicts} onChange={(value) => set("verdict", value)} />
      </PageHead>
      <Refused />
      <section aria-label="Deliveries" className="card">
        {query.data === undefined ? (
          query.isError ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Loading lines={6} />
          )
        ) : list.length === 0 ? (
          isFiltered ? (
            <Empty icon="search" title="No delivery is like that">
              Take a filter away: others may be there.
            </Empty>
          ) : (
            <Empty icon="deliveries" title="No deliveries yet">
              What a sender posts to a webhook with a good signature is kept and shown here. The page of{" "}
              <Link to="/plugins" className="link">
                plugins
              </Link>{" "}
              has the addresses of the webhooks.
            </Empty>
          )
        ) : (
          <ul>
            {list.map((delivery) => (
              <DeliveryLine key={delivery.delivery_id} delivery={delivery} />
            ))}
          </ul>
        )}
        <MorePages query={query} name="Older ones" />
      </section>
    </Page>
  );
}

function DeliveryLine({ delivery }: { delivery: Delivery }) {
  return (
    <li className="relative grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 border-t border-line px-4 py-2 first:border-t-0 hover:bg-raised lg:grid-cols-[6.5rem_8rem_minmax(0,1fr)_5rem_6rem]">
      <span>
        <VerdictBadge verdict={delivery.verdict} />
      </span>
      <span className="truncate text-sm font-medium">{delivery.webhook}</span>
      <span className="min-w-0 max-lg:col-span-3 max-lg:row-start-2">
        <Link
          to="/deliveries/$id"
          params={{ id: delivery.delivery_id }}
          className="block truncate after:absolute after:inset-0"
        >
          {delivery.message || delivery.entity || delivery.delivery_key}
        </Link>
        <span className="block truncate text-xs text-muted">
          {[
            delivery.entity,
            delivery.replay_of && "replay",
            delivery.tested_by && `test by ${delivery.tested_by}`,
            delivery.duplicates > 0 && `sent ${times(delivery.duplicates + 1)}`,
            delivery.tries > 1 && `${delivery.tries} tries`,
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </span>
      <span className="hidden text-right text-sm text-muted lg:block">{bytes(delivery.body_bytes)}</span>
      <Time iso={delivery.received_at} className="justify-self-end text-xs text-muted max-lg:col-start-3 max-lg:row-start-1" />
    </li>
  );
}

// What was turned away before it became a delivery: bad signatures, unknown names, floods.
// What davit calls by one word that does not say of what it is.
const causes: Partial<Record<string, string>> = { mismatch: "signature does not match", stale: "signature is too old" };

function Refused() {
  const refused = useLive(refusals(), "slow").data?.causes ?? [];
  if (refused.length === 0) return null;
  return (
    <Card title="Turned away" note="before it became a delivery">
      <ul>
        {refused.map((cause) => (
          <li
            key={`${cause.webhook}/${cause.cause}`}
            className="flex flex-wrap gap-x-3 border-t border-line px-4 py-2 text-sm first:border-t-0"
          >
            <span className="font-medium wrap-anywhere">{cause.webhook}</span>
            <span className="text-bad">{causes[cause.cause] ?? words(cause.cause)}</span>
            <span>{times(cause.count)}</span>
            <Time iso={cause.last_at} className="ml-auto text-xs leading-5 text-muted" />
          </li>
        ))}
      </ul>
    </Card>
  );
}
