// Who is signed in. The one place that knows how a request proves it: today by a bearer token that is typed in and kept
// in memory only, so that a reload forgets it and no script of another page can find it.
import { useSyncExternalStore } from "react";

type Session = { state: "out"; reason: string | null } | { state: "in" };

let session: Session = { state: "out", reason: null };
let token: string | null = null;
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

// What a request carries.
export function credentials(): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

// Resolves to what is wrong, or null once signed in.
export async function signIn(typed: string): Promise<string | null> {
  const wanted = typed.trim();
  if (!/^[\x21-\x7e]+$/.test(wanted)) return "A token is made of letters, digits and signs, without blanks.";
  let answer: Response;
  try {
    answer = await fetch("/api/dashboard/overview", { headers: { Authorization: `Bearer ${wanted}` } });
  } catch {
    return "davit does not answer. Is it running?";
  }
  if (answer.status === 401) return "davit does not know this token.";
  if (!answer.ok) return `davit answered ${answer.status}; its log says why.`;
  token = wanted;
  become({ state: "in" });
  return null;
}

export function signOut(reason: string | null = null): void {
  token = null;
  become({ state: "out", reason });
}
