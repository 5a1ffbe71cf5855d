// The list cannot be shown as it is asked for. Where that is for what somebody chose or typed here, davit names a parameter of
// the address, which nobody sees on the page: it is said by the name that stands there.
import { ApiError } from "../../api/client";
import { Empty, ErrorState } from "../../components/states";

const inPageWords: readonly (readonly [RegExp, string])[] = [
  [/^start_date:? must be before end_date$/, "From is later than To: choose an earlier day for From, or a later one for To."],
  [/^q:? must have (at most \d+ (?:characters|words))$/, "What is searched for must have $1: leave some out."],
];

// Null: it is no fault of a filter's.
function faultOf(error: Error): string | null {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  const known = inPageWords.find(([pattern]) => pattern.test(error.message));
  return known ? error.message.replace(...known) : null;
}

export function ListError({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const fault = faultOf(error);
  if (fault === null) return <ErrorState error={error} onRetry={onRetry} />;
  return (
    <div role="alert">
      <Empty icon="search" title="Nothing can be found like that">
        {fault}
      </Empty>
    </div>
  );
}
