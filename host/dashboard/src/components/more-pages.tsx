// Under a list: the next page of it, if there is one.
import { Button } from "./button";

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

export function MorePages({ query, name }: { query: Pages; name: string }) {
  return (
    query.hasNextPage && (
      <div className="border-t border-line p-3 text-center">
        <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {query.isFetchingNextPage ? "Loading…" : name}
        </Button>
      </div>
    )
  );
}
