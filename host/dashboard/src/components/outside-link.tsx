import type { ReactNode } from "react";
import { Icon } from "./icon";

// An address that came from outside: only one of the web is a link, and where it leads learns nothing of this page.
export function OutsideLink({ url, children }: { url: string; children: ReactNode }) {
  if (!isWebAddress(url)) return <span className="wrap-anywhere">{children}</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" title={url} className="link wrap-anywhere">
      {children} <span className="inline-block align-[-2px]"><Icon name="link" size={12} /></span>
    </a>
  );
}

export function isWebAddress(url: string): boolean {
  try {
    return ["http:", "https:"].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}
