// Who is signed in. The one place that knows how a request proves it: by a cookie that no script can read, which davit
// gives for a token that is typed in, and for acts by a second secret beside it, which is kept in memory only. The token
// itself is not kept.
import { useSyncExternalStore } from "react";
import { hearTime } from "./clock";

export type Role = "reader" | "admin";

type Session =
  // Whether somebody signed in before, in another tab or before a reload.
  | { state: "asking" }
  | { state: "out"; reason: string | null }
  | { state: "in"; name: string; role: Role };

interface Answer {
  name: string | null;
  role: Role | null;
  csrf_token: string | null;
}

const noAnswer = "davit does not answer. Is it running?";

let session: Session = { state: "asking" };
let csrfToken: string | null = null;
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

// Whoever is signed in, or "".
export function useName(): string {
  const known = useSession();
  return known.state === "in" ? known.name : "";
}

// May whoever is signed in do more than look? The server decides it; this only says what is offered.
export function useMayAct(): boolean {
  const known = useSession();
  return known.state === "in" && known.role === "admin";
}

// What a request that acts carries beside the cookie.
export function credentials(): Record<string, string> {
  return csrfToken === null ? {} : { "X-CSRF-Token": csrfToken };
}

function take(answer: Answer): boolean {
  if (answer.name === null || answer.role === null) return false;
  csrfToken = answer.csrf_token;
  if (session.state !== "in" || session.name !== answer.name || session.role !== answer.role)
    become({ state: "in", name: answer.name, role: answer.role });
  return true;
}

// Asks who is signed in. True: somebody is.
export async function askSession(): Promise<boolean> {
  const asked = Date.now();
  try {
    const answer = await fetch("/api/session");
    if (answer.ok) hearTime(answer.headers.get("Date"), asked);
    if (answer.ok && take((await answer.json()) as Answer)) return true;
    forget(answer.ok ? null : `davit answered ${answer.status}; its log says why.`);
  } catch {
    forget(noAnswer);
  }
  return false;
}

// Resolves to what is wrong, or null once signed in.
export async function signIn(typed: string): Promise<string | null> {
  const token = typed.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) return "A token is made of letters, digits and signs, without blanks.";
  let answer: Response;
  try {
    answer = await fetch("/api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
  } catch {
    return noAnswer;
  }
  if (answer.status === 401) return "davit does not know this token.";
  if (answer.status === 429)
    return `Too many tries have failed. Wait ${answer.headers.get("Retry-After") ?? "some"} seconds before the next one.`;
  if (!answer.ok) return `davit answered ${answer.status}; its log says why.`;
  take((await answer.json()) as Answer);
  return null;
}

// The session is over here; in davit it may go on.
export function forget(reason: string | null = null): void {
  csrfToken = null;
  become({ state: "out", reason });
}

// Resolves to what is wrong, or null once davit has ended the session.
export async function signOut(): Promise<string | null> {
  let answer: Response;
  try {
    answer = await fetch("/api/session", { method: "DELETE", headers: credentials() });
  } catch {
    return noAnswer;
  }
  // Who is not signed in need not sign out.
  if (!answer.ok && answer.status !== 401) return `davit answered ${answer.status}; its log says why.`;
  forget();
  return null;
}
