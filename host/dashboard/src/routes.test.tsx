// @vitest-environment jsdom
import { createMemoryHistory } from "@tanstack/react-router";
import { expect, test } from "vitest";
import { makeRouter } from "./routes";

// What the page at an address takes from it.
async function searchAt(address: string): Promise<object> {
  const router = makeRouter();
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) });
  await router.load();
  const { search } = router.state.matches.at(-1) ?? {};
  return JSON.parse(JSON.stringify(search)) as object;
}

test.each([
  "/tasks?from=x&to=2026-13-01",
  "/tasks?from=2026-02-31",
  "/tasks?period=foo",
  "/tasks?status=bogus",
  "/tasks?utm_source=mail&__proto__=x",
  "/approvals?show=zz",
  "/costs?period=foo",
  "/costs?by=foo",
  "/audit?period=1y",
  "/audit?outcome=zz",
  "/deliveries?verdict=zz",
  "/?metric=bogus&bucket=zz&queue=zz",
])("what an address says that no filter knows is passed over: %s", async (address) => {
  expect(await searchAt(address)).toEqual({});
});

test.each([
  ["/tasks?q=a&status=failed&agent=b&source=c&entity=d&from=2026-03-01&to=2026-03-02&utm_source=mail", { q: "a", status: "failed", agent: "b", source: "c", entity: "d", from: "2026-03-01", to: "2026-03-02" }],
  ["/costs?by=day&period=90d&status=failed", { by: "day", period: "90d" }],
  ["/audit?actor=a&outcome=zz", { actor: "a" }],
])("and what a filter knows stays: %s", async (address, search) => {
  expect(await searchAt(address)).toEqual(search);
});
