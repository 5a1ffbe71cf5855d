// Stands in place of a page that could not be shown: a fault in it, or a part of it that this davit does not have any
// more, since it was replaced by a newer one. In that case the router has loaded everything anew once before.
import { Button } from "../../components/button";
import { Icon } from "../../components/icon";
import { useTitle } from "../../lib/title";

// As browsers say that a part of the program is not there.
const isOfAnotherVersion = (error: unknown): boolean =>
  error instanceof Error && /dynamically imported module|importing a module script/i.test(error.message);

export function Broken({ error }: { error: unknown }) {
  useTitle("Fault");
  return (
    <div className="h-full overflow-y-auto p-4 md:p-6" data-scroll>
      <div role="alert" className="flex flex-col items-center gap-2 px-4 py-10 text-center">
        <span className="tone rounded-full border p-3 [--tone:var(--bad)]">
          <Icon name="warn" size={20} />
        </span>
        <h1 className="text-lg font-semibold">This page cannot be shown</h1>
        <p className="max-w-md text-sm">
          {isOfAnotherVersion(error)
            ? "davit may have been replaced by another version meanwhile. Loading the dashboard anew helps then."
            : "Something in it went wrong. Loading it anew may help; if it does not, the words below tell what to report."}
        </p>
        <p className="max-w-md font-mono text-xs wrap-anywhere text-muted">{error instanceof Error ? error.message : String(error)}</p>
        <Button icon="retry" onClick={() => location.reload()}>
          Load anew
        </Button>
      </div>
    </div>
  );
}
