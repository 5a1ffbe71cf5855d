import { exact, relative } from "../lib/format";
import { useNow } from "../lib/now";

// How long ago; the exact time in the zone of whoever looks when one points at it. So it lies above a link that covers its
// row, but only for who can point: a touch is for the link.
export function Time({ iso, className }: { iso: string; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={iso} title={exact(iso)} className={`[@media(hover:hover)]:relative ${className ?? ""}`}>
      {relative(Date.parse(iso), now)}
    </time>
  );
}
