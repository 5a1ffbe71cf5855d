// What a test event is begun with, and what is typed for one.
import { hasRounded } from "../../api/exact-json";
import type { DeliveryDetail, Json } from "../../api/schema";

export interface Sample {
  headers: string; // lines of "Name: value"
  body: string;
}

// Headers that say something of a request that is over, or that are made anew.
const ofTheRequest = /^(host|content-length|connection|accept.*|sec-.*|user-agent|x-forwarded-.*|forwarded|x-real-ip|via|traceparent)$/i;

// Of a delivery as it is kept. What the host has taken out of it cannot be sent.
export function sampleOf(delivery: DeliveryDetail, deliveryIdHeader: string | null): Sample {
  const headers = delivery.headers !== null && typeof delivery.headers === "object" ? Object.entries(delivery.headers) : [];
  const kept = headers.filter(
    ([name, value]) =>
      typeof value === "string" &&
      value !== "(removed)" &&
      !ofTheRequest.test(name) &&
      name.toLowerCase() !== deliveryIdHeader?.toLowerCase(),
  );
  return { headers: kept.map(([name, value]) => `${name}: ${value as string}`).join("\n"), body: pretty(delivery.body ?? "") };
}

// The one that the plugin gives in its metadata, as an event of this moment.
export function ownSample(metadata: Json, now: number): Sample | null {
  const sample = member(metadata, "sample");
  const body = member(sample, "body");
  if (body === undefined) return null;
  const headers = Object.entries(member(sample, "headers") ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  const filled = (text: string): string => text.replaceAll("{timestamp}", String(Math.floor(now / 1000)));
  return {
    headers: filled(headers.join("\n")),
    body: filled(typeof body === "string" ? body : JSON.stringify(body, null, 2)),
  };
}

function member(value: Json | undefined, name: string): Json | undefined {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value) ? value[name] : undefined;
}

// As it is, where that would change a number: what is sent is what its sender said.
function pretty(body: string): string {
  try {
    if (hasRounded(body)) return body;
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

// The members of a request for a test event, or the line that is no header.
export function requestOf(sample: Sample): { headers: Record<string, string>; body: Json } | { fault: string } {
  const headers: [string, string][] = [];
  for (const line of sample.headers.split("\n").filter((each) => each.trim() !== "")) {
    const colon = line.indexOf(":");
    if (colon < 1) return { fault: `“${line}” is not “Name: value”` };
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return { headers: Object.fromEntries(headers), body: sample.body };
}
