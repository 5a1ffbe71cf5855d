// What a page asks of the API, and whether it needs to.
import type { Page } from "playwright-core";

// Requests of the page to the API, from now on, but for the stream itself.
export function requestsOf(page: Page): string[] {
  const requests: string[] = [];
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith("/api/") && !pathname.endsWith("/events")) requests.push(pathname + search);
  });
  return requests;
}

// It is told of changes.
export const isLive = (page: Page): Promise<void> => page.locator("[data-live=live]:visible").waitFor();
