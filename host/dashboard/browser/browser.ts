// Debian's Chromium, and pages in it that tell of whatever goes wrong in them.
import { type Browser, type Page, chromium } from "playwright-core";

// `keepsPages`: pages that are left are kept in memory, for Back and Forward, as they are for people.
export async function openBrowser({ keepsPages = false } = {}): Promise<Browser> {
  return chromium.launch({
    ...(keepsPages ? { ignoreDefaultArgs: ["--disable-back-forward-cache"] } : {}),
    executablePath: process.env["DAVIT_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Look {
  theme: "light" | "dark";
  width: number;
  height?: number;
  zoom?: number; // 2: twice as large as usual
}

export const heightFor = (width: number): number => (width < 640 ? 800 : 860);

// A page that keeps what should not be: errors of scripts, complaints on the console (also of the security policy),
// requests to anybody but `url`.
export async function openPage(
  browser: Browser,
  url: string,
  look: Look = { theme: "light", width: 1280 },
): Promise<{ page: Page; troubles: string[] }> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height ?? heightFor(look.width) },
    deviceScaleFactor: look.zoom ?? 1,
    colorScheme: look.theme,
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") troubles.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !address.startsWith("data:") && !address.startsWith("blob:"))
      troubles.push(`request to ${address}`);
  });
  return { page, troubles };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

// Goes to another page of the dashboard without loading it anew.
export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

// davit's answers, the stream of events too, say a time that is `ahead` of the true one by milliseconds, as the clock of the page
// is that a test has set. For pages that are opened from now on.
export async function setClockThere(page: Page, ahead: number): Promise<void> {
  await page.addInitScript((by) => {
    const said = Headers.prototype.get;
    Headers.prototype.get = function (name) {
      const value = said.call(this, name);
      return name === "Date" && value !== null ? new Date(Date.parse(value) + by).toUTCString() : value;
    };
  }, ahead);
}
