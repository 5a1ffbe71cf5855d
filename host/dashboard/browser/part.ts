// What every part of the test begins with: a host of its own, Chromium, and pages of somebody who is signed in.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type Look, openBrowser, openPage } from "./browser";
import { Host, type Kit } from "./host";

export interface Opened {
  page: Page;
  troubles: string[];
}

export interface Part {
  host: Host;
  // A page, shown nothing yet, of a browser that knows nobody.
  opened: (look?: Look) => Promise<Opened>;
  // The page at that address, of somebody with that token, the admin's unless another is said.
  signedIn: (path?: string, look?: Look, token?: string) => Promise<Opened>;
}

// To be called once in a file, outside of tests; `fill` runs before the first of them.
export function part(kit?: Kit, fill?: (host: Host) => Promise<void>): Part {
  const host = new Host(kit);
  let browser: Browser | undefined;
  beforeAll(async () => {
    [browser] = await Promise.all([openBrowser(), host.start()]);
    await fill?.(host);
  });
  afterAll(async () => {
    await browser?.close();
    await host.stop();
  });
  const opened = (look?: Look): Promise<Opened> => openPage(browser as Browser, host.url, look);
  const signedIn = async (path = "/", look?: Look, token?: string): Promise<Opened> => {
    const made = await opened(look);
    await made.page.context().addCookies([await host.session(token)]);
    await made.page.goto(host.url + path);
    await made.page.getByRole("navigation", { name: "Pages" }).waitFor();
    return made;
  };
  return { host, opened, signedIn };
}
