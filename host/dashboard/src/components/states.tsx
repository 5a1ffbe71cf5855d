// What stands where something else will stand, or cannot.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

export function Empty({ icon = "tasks", title, children }: { icon?: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <span className="rounded-full border border-line bg-sunken p-3 text-muted">
        <Icon name={icon} size={20} />
      </span>
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-md text-sm text-muted">{children}</div>}
    </div>
  );
}

export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const id = error instanceof ApiError ? error.requestId : null;
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <span className="tone rounded-full border p-3 [--tone:var(--bad)]">
        <Icon name="warn" size={20} />
      </span>
      <p className="font-semibold">This could not be loaded</p>
      <p className="max-w-md text-sm wrap-anywhere">{error.message}</p>
      {id && (
        <p className="text-xs text-muted">
          Request <code className="font-mono">{id}</code>
        </p>
      )}
      {onRetry && (
        <Button icon="retry" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-3 p-4">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className={`shimmer h-4 ${["w-full", "w-11/12", "w-3/4"][line % 3] ?? ""}`} />
      ))}
    </div>
  );
}

// What a query brought, or its loading or error state. Old data stays while it is asked for anew.
export function Loaded<T>({
  query,
  lines,
  children,
}: {
  query: UseQueryResult<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading {...(lines === undefined ? {} : { lines })} />;
}
