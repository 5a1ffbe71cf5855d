// Stretches of time as the address of a page names them, and as the API wants them.

export const periods = ["1h", "24h", "7d", "30d", "90d"] as const;
export type Period = (typeof periods)[number];

export const periodNames: Record<Period, string> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
};

const hours: Record<Period, number> = { "1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24, "90d": 90 * 24 };

export function periodFrom(text: unknown): Period | undefined {
  return periods.find((period) => period === text);
}

// Its beginning, to the minute: the same for all that ask within one, so that one answer serves them.
export function startOf(period: Period, now: number): string {
  const minute = 60_000;
  return new Date(Math.floor(now / minute) * minute - hours[period] * 60 * minute).toISOString();
}
