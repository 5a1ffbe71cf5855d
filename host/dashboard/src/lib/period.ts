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

// A day as the address of a page names it, "2026-03-01": of whoever looks, in his own zone.
export function dayFrom(text: unknown): string | undefined {
  if (typeof text !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  // 31 February would be read as 3 March.
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : undefined;
}

function midnight(day: string, daysLater: number): string {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + daysLater).toISOString();
}

export const startOfDay = (day: string): string => midnight(day, 0);
// The first moment that is not of it any more.
export const endOfDay = (day: string): string => midnight(day, 1);

export function today(now: number): string {
  const date = new Date(now);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function periodFrom(text: unknown): Period | undefined {
  return periods.find((period) => period === text);
}

// Its beginning, to the minute: the same for all that ask within one, so that one answer serves them.
export function startOf(period: Period, now: number): string {
  const minute = 60_000;
  return new Date(Math.floor(now / minute) * minute - hours[period] * 60 * minute).toISOString();
}
