// Requests to the API: JSON in, JSON out, and failures as the server's own sentence.
import { hearTime } from "./clock";
import { parseExactly } from "./exact-json";
import { askSession, credentials, forget } from "./session";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

interface Problem {
  title?: string;
  detail?: string;
  request_id?: string;
  errors?: { field: string; detail: string }[];
}

function sentence(problem: Problem, status: number): string {
  const fields = (problem.errors ?? []).map((error) => `${error.field} ${error.detail}`).join("; ");
  return fields || problem.detail || problem.title || `davit answered ${status}`;
}

async function failure(answer: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    problem = (await answer.json()) as Problem;
  } catch {
    // Not davit, or a proxy in front of it: the status is all there is.
  }
  return new ApiError(answer.status, sentence(problem, answer.status), problem.request_id ?? null);
}

// No answer for that long is none.
const patience = 20_000;

// Behind `signal` nobody waits for it any more.
async function ask(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const acts = init.method !== undefined;
  const asked = Date.now();
  try {
    const answer = await fetch(path, { ...init, signal, headers: { ...init.headers, ...(acts ? credentials() : {}) } });
    if (answer.ok) hearTime(answer.headers.get("Date"), asked);
    return answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "davit does not answer. Is it running?");
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  return sendFor(path, init, AbortSignal.any([AbortSignal.timeout(patience), ...(init.signal ? [init.signal] : [])]));
}

async function sendFor(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const known = credentials()["X-CSRF-Token"];
  let answer = await ask(path, init, signal);
  // Another tab may have signed in anew: its session is this one's.
  if (answer.status === 403 && init.method !== undefined && (await askSession()) && credentials()["X-CSRF-Token"] !== known)
    answer = await ask(path, init, signal);
  if (answer.ok) return answer;
  if (answer.status === 401) forget("You are not signed in any more.");
  throw await failure(answer);
}

export type Parameters = Record<string, string | number | undefined>;

// "?a=b" of what is there, or "".
export function queryText(parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

export async function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  const answer = await send(path + queryText(parameters), signal ? { signal } : {});
  return parseExactly(await answer.text()) as T;
}

export type Method = "POST" | "PUT" | "DELETE";

export async function post<T>(
  path: string,
  body: object = {},
  method: Method = "POST",
  headers: Record<string, string> = {},
): Promise<T> {
  const answer = await send(path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return parseExactly(await answer.text()) as T;
}

export async function download(path: string): Promise<Blob> {
  return (await send(path, {})).blob();
}

// Where the next part of a table is, as a Link header says it (RFC 8288): of this server, or nowhere.
function nextPart(answer: Response): string | null {
  return /<(\/api\/[^>]*)>; rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1] ?? null;
}

// A table that davit gives in parts, put together.
export async function downloadAll(path: string): Promise<Blob> {
  const parts: Blob[] = [];
  for (let next: string | null = path; next !== null; ) {
    const answer: Response = await send(next, {});
    parts.push(await answer.blob());
    next = nextPart(answer);
  }
  return new Blob(parts, { type: parts[0]?.type ?? "" });
}

// An answer that goes on until `signal` ends it.
export async function openStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const answer = await sendFor(path, { headers: { Accept: "text/event-stream" }, cache: "no-store" }, signal);
  if (answer.body === null) throw new ApiError(0, "davit's answer has no body");
  return answer.body;
}
