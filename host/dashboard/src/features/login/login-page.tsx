// Stands in place of every page until somebody is signed in; the address stays, and is shown afterwards.
import { type FormEvent, useState } from "react";
import { signIn } from "../../api/session";
import { Button } from "../../components/button";
import { Brand } from "../shell/brand";
import { useTitle } from "../../lib/title";

export function LoginPage({ reason }: { reason: string | null }) {
  useTitle("Sign in");
  const [problem, setProblem] = useState(reason);
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    const typed = new FormData(event.currentTarget).get("token");
    void signIn(typeof typed === "string" ? typed : "").then((wrong) => {
      setBusy(false);
      setProblem(wrong);
    });
  };
  return (
    <main className="grid min-h-full place-items-center p-4">
      <div className="flex w-full max-w-sm flex-col gap-5">
        <Brand />
        <form className="card flex flex-col gap-3 p-5" onSubmit={submit}>
          <h1 className="text-xl font-semibold tracking-tight">Sign in</h1>
          <label className="flex flex-col gap-1 text-sm font-medium">
            Token
            <input
              name="token"
              type="password"
              required
              // The page has one thing to do.
              // eslint-disable-next-line jsx-a11y/no-autofocus
              autoFocus
              autoComplete="current-password"
              spellCheck={false}
              className="field h-9 font-mono"
              aria-describedby="token-help"
            />
          </label>
          {problem && (
            <p role="alert" className="text-sm text-bad">
              {problem}
            </p>
          )}
          <Button type="submit" look="main" className="h-9" disabled={busy}>
            {busy ? "Signing in…" : "Sign in"}
          </Button>
          <p id="token-help" className="text-xs text-muted">
            The admin token lies in <code className="font-mono">admin.token</code> beside the database, unless{" "}
            <code className="font-mono">DAVIT_ADMIN_TOKEN</code> names another;{" "}
            <code className="font-mono">davit token create</code> makes more. This browser stays signed in without keeping it.
          </p>
        </form>
      </div>
    </main>
  );
}
