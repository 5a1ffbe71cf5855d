// Who may do what: the two roles on every page, sessions, and what is noted of everybody.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { goTo, signIn } from "./browser";
import { cutOff, sideways, violations } from "./checks";
import { everyPage } from "./every-page";
import { type Data, fill } from "./host";
import { type Opened, part } from "./part";
import { isThere, isWell, isWellEverywhere, note } from "./pictures";

let data: Data;
const { host, opened, signedIn } = part({}, async (filled) => {
  data = await fill(filled);
});

// What a page has for whoever may act, by the first word of each button or box; the others have the same for both roles.
const acts: Record<string, string[]> = {
  tasks: ["All", "Select"],
  "task-failed": ["Retry"],
  "task-running": ["Cancel"],
  "task-waiting": ["Approve", "Cancel", "Reject"],
  approvals: ["Approve", "Reject"],
  agents: ["Concurrency", "Pause"],
  plugins: ["Disable", "Look", "Send"],
  delivery: ["Dry", "Replay"],
};

test("a reader sees every page but the audit log, and of what one may do there nothing", async () => {
  const [admin, reader] = await Promise.all([signedIn(), signedIn("/", undefined, host.readerToken)]);
  await reader.page.getByText("reader · looks only").waitFor();
  const offered = async ({ page }: Opened, path: string, text: string): Promise<string[]> => {
    await goTo(page, path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    await isThere(page);
    const names = await page
      .locator("main :is(button, input, select, textarea)")
      .evaluateAll((all) =>
        all.map((each) => each.getAttribute("aria-label") ?? (each.closest("label")?.textContent || each.textContent)),
      );
    return [...new Set(names.map((name) => name.trim().split(" ")[0] ?? ""))].sort();
  };
  for (const [name, path, text] of everyPage(data)) {
    if (name === "audit") continue;
    // Parts of a page come one after the other, and not for both at the same time.
    const differences = async (): Promise<string[][]> => {
      const [all, some] = await Promise.all([offered(admin, path, text), offered(reader, path, text)]);
      return [[name], all.filter((each) => !some.includes(each)), some.filter((each) => !all.includes(each))];
    };
    await expect.poll(differences).toEqual([[name], acts[name] ?? [], []]);
  }
  expect([admin.troubles, reader.troubles]).toEqual([[], []]);
  await goTo(admin.page, "/audit");
  await admin.page.getByRole("region", { name: "Audit log" }).getByText("sign in").first().waitFor();
  expect(await reader.page.getByRole("link", { name: "Audit" }).count()).toBe(0);
  await goTo(reader.page, "/audit");
  await reader.page.getByText("this needs a token that may act; reader may only read").waitFor();
  await Promise.all([admin.page.context().close(), reader.page.context().close()]);
});

test("a reader who tries an act all the same is refused by davit, whichever it is", async () => {
  const { paths } = JSON.parse(readFileSync(join(import.meta.dirname, "../../http/openapi.json"), "utf8")) as {
    paths: Record<string, Record<string, { operationId?: string }>>;
  };
  const tries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ["post", "put", "delete"].includes(method))
      .map(([method, { operationId = "" }]) => {
        const id = operationId === "replayDelivery" ? data.delivery : data.running;
        const at = path.replace("{id}", id).replace("{kind}", "agent").replace("{name}", "worker");
        return { operationId, method: method.toUpperCase(), path: at };
      })
      // What needs nobody's leave.
      .filter(({ operationId }) => !["receiveDelivery", "signIn", "signOut"].includes(operationId)),
  );
  expect(tries.length).toBeGreaterThan(20);
  const { page } = await signedIn("/", undefined, host.readerToken);
  const answers = await page.evaluate(async (all) => {
    const { csrf_token } = (await (await fetch("/api/session")).json()) as { csrf_token: string };
    const headers = { "X-CSRF-Token": csrf_token, "Content-Type": "application/json" };
    return Promise.all(
      all.map(async ({ operationId, method, path }) => {
        const answer = await fetch(path, { method, headers, ...(method === "DELETE" ? {} : { body: "{}" }) });
        return [operationId, answer.status, ((await answer.json()) as { detail: string }).detail];
      }),
    );
  }, tries);
  expect(answers).toEqual(
    tries.map(({ operationId }) => [operationId, 403, "this needs a token that may act; reader may only read"]),
  );
  expect((await host.task(data.running)).status).toBe("running");
  await page.context().close();
});

test("a reload keeps whoever is signed in, no script can read his cookie, and signing out ends it in every tab", async () => {
  const { page, troubles } = await opened();
  await page.goto(`${host.url}/agents`);
  await signIn(page, host.adminToken);
  await page.reload();
  await page.getByRole("heading", { name: "Agents" }).waitFor();
  const there = await page.evaluate(() => performance.now());
  note("figures.txt", `signed in already: a page is there ${there.toFixed(0)} ms after it was asked for`);
  expect(await page.evaluate(() => document.cookie)).toBe("");
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(host.adminToken);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/", secure: false });
  expect(troubles).toEqual([]);
  const other = await page.context().newPage();
  await other.goto(`${host.url}/costs`);
  await other.getByRole("heading", { name: "Costs" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.getByText("You are not signed in any more.").waitFor();
  await signIn(other, host.adminToken);
  await other.getByRole("heading", { name: "Costs" }).waitFor();
  await page.context().close();
});

test("when a token is revoked its session is over: the page asks for another one and then goes on where it was", async () => {
  const made = (await host.api("POST", "/api/tokens", { name: "guest", role: "admin" })) as { token: string };
  const { page } = await signedIn(`/tasks?status=failed`, undefined, made.token);
  await page.getByText("guest", { exact: true }).first().waitFor();
  await page.getByRole("row").nth(1).waitFor();
  await host.api("POST", "/api/tokens/guest/revoke", {});
  await page.getByText("You are not signed in any more.").waitFor();
  await isWellEverywhere(page, "session-over");
  await signIn(page, host.adminToken);
  await page.getByRole("row").nth(1).waitFor();
  expect(page.url()).toBe(`${host.url}/tasks?status=failed`);
  await page.context().close();
});

test("who did what is in the audit log, narrowed down by the address", async () => {
  const { page, troubles } = await signedIn("/audit?operation=createToken");
  const log = page.getByRole("region", { name: "Audit log" });
  await log.getByText("create token").first().waitFor();
  await log.getByRole("button", { name: "guest" }).click();
  await expect.poll(() => page.url()).toContain("object=guest");
  await page.getByLabel("Operation", { exact: true }).selectOption("");
  await log.getByText("revoke token").first().waitFor();
  await log.getByRole("button", { name: "More" }).first().click();
  await log.getByText("request_id").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByLabel("Outcome", { exact: true }).selectOption("denied");
  await page.getByText("Nothing is noted").waitFor();
  await page.getByTitle("Show what was done to everything").click();
  await log.getByText("reader may only read").first().waitFor();
  // What is chosen does not narrow down what else can be.
  await page.getByLabel("Outcome", { exact: true }).selectOption("");
  await page.getByLabel("Who", { exact: true }).selectOption("admin");
  await log.getByText("revoke token").first().waitFor();
  await page.getByLabel("Operation", { exact: true }).selectOption("revokeToken");
  await log.getByText("revoke token").first().waitFor();
  for (const [name, value] of [["Who", "guest"], ["Who", "reader"], ["Operation", "approveTask"], ["Operation", "signIn"]] as const)
    expect(await page.getByLabel(name, { exact: true }).locator(`option[value="${value}"]`).count(), value).toBe(1);
  await page.goto(`${host.url}/audit`);
  // What is done while one looks comes by itself, though no event tells of it.
  await page.getByLabel("Outcome", { exact: true }).selectOption("");
  await log.getByText("revoke token").first().waitFor();
  await host.api("POST", "/api/tokens", { name: "newcomer", role: "reader" });
  await log.getByRole("button", { name: "newcomer" }).waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});


test("the longest name that somebody may have leaves each page as narrow as the screen", async () => {
  const name = "alexander.schmidt-mueller".padEnd(64, "-of-the-night-shift");
  const made = (await host.api("POST", "/api/tokens", { name, role: "reader" })) as { token: string };
  const { page, troubles } = await signedIn("/", { theme: "light", width: 380 }, made.token);
  for (const [what, path, text] of everyPage(data)) {
    if (what === "audit") continue;
    await goTo(page, path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    await isThere(page);
    expect([what, await sideways(page), await cutOff(page)]).toEqual([what, 0, []]);
  }
  const boxOf = async (one: Locator): Promise<{ left: number; right: number }> => {
    const { x, width } = (await one.boundingBox()) ?? { x: -1, width: 0 };
    return { left: x, right: x + width };
  };
  const who = page.getByTitle(`Signed in as ${name}, who only looks`);
  const [brand, shown, out] = await Promise.all([
    boxOf(page.getByRole("banner").getByText("davit", { exact: true })),
    boxOf(who),
    boxOf(page.getByRole("button", { name: "Sign out" })),
  ]);
  expect(brand.right).toBeLessThanOrEqual(shown.left);
  expect(shown.right).toBeLessThanOrEqual(out.left);
  expect(out.right).toBeLessThanOrEqual(380);
  await who.getByText("· looks only").waitFor();
  await isWell(page, "long-name");
  expect(troubles).toEqual([]);
  await page.context().close();
});
