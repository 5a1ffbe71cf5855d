import { InfiniteQueryObserver, QueryObserver } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { ExactNumber, parseExactly } from "./exact-json";
import { withKeptParts } from "./kept-parts";
import { makeQueryClient } from "./queries";

afterEach(() => vi.unstubAllGlobals());

const handedOver = '{"mode":"noop","issue":12345678901234567890,"__proto__":{"command":"rm -rf /"}}';

test("every member of an answer outlives being asked for again, whatever it is named", async () => {
  const client = makeQueryClient();
  for (const status of ["queued", "queued", "awaiting_approval"]) {
    await client.fetchQuery({
      queryKey: ["tasks/t"],
      queryFn: () => parseExactly(`{"status":"${status}","payload":${handedOver}}`),
      staleTime: 0,
    });
    const { payload } = client.getQueryData<{ payload: object }>(["tasks/t"]) ?? { payload: {} };
    expect(Object.keys(payload)).toEqual(["mode", "issue", "__proto__"]);
    expect(JSON.stringify(Object.entries(payload)[2])).toBe('["__proto__",{"command":"rm -rf /"}]');
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  }
});

test("so does every member of what is shown, of one answer and of pages, and of what is put in by hand", async () => {
  const client = makeQueryClient();
  let asked = 0;
  const ask = (): Promise<unknown> => Promise.resolve(parseExactly(`{"n":${++asked},"payload":${handedOver}}`));
  const one = new QueryObserver<unknown>(client, { queryKey: ["one"], queryFn: ask, select: (data) => ({ ...(data as object) }) });
  const pages = new InfiniteQueryObserver<unknown>(client, {
    queryKey: ["pages"],
    queryFn: ask,
    initialPageParam: 0,
    getNextPageParam: () => null,
  });
  const ends = [one.subscribe(() => undefined), pages.subscribe(() => undefined)];
  const payloads = (): unknown[] => [
    (one.getCurrentResult().data as { payload: unknown }).payload,
    (pages.getCurrentResult().data?.pages[0] as { payload: unknown }).payload,
  ];
  for (let round = 0; round < 3; ++round) {
    await Promise.all([one.refetch(), pages.refetch()]);
    for (const payload of payloads()) expect(Object.keys(payload as object)).toContain("__proto__");
  }
  client.setQueryData<object>(["one"], (old) => ({ ...old, n: 0 }));
  expect(Object.keys(payloads()[0] as object)).toContain("__proto__");
  for (const end of ends) end();
  client.clear();
});

test("what is alike stays the object that it was, down to the rows of a list and to long numbers", () => {
  const text = (status: string): string =>
    `{"tasks":[{"id":"a","payload":${handedOver}},{"id":"b","status":"${status}"}],"next":null,"none":{},"deep":[[1.5]]}`;
  const before = parseExactly(text("queued")) as { tasks: unknown[]; none: object; deep: unknown };
  expect(withKeptParts(before, parseExactly(text("queued")))).toBe(before);
  const after = withKeptParts(before, parseExactly(text("running"))) as typeof before;
  expect(after).toEqual(parseExactly(text("running")));
  expect([after.tasks[0] === before.tasks[0], after.none === before.none, after.deep === before.deep]).toEqual([true, true, true]);
  expect(after.tasks[1]).not.toBe(before.tasks[1]);
  // Nothing of the old one was changed.
  expect(before).toEqual(parseExactly(text("queued")));
});

test.each([
  ['{"a":1}', '{"a":1,"b":2}'],
  ['{"a":1,"b":2}', '{"a":1}'],
  ['{"a":1}', '{"b":1}'],
  ['{"a":1}', '{"toString":1}'],
  ["{}", '{"__proto__":{}}'],
  ['{"__proto__":{}}', "{}"],
  ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
  ['{"__proto__":{"a":1},"b":1}', '{"__proto__":{"a":1},"b":2}'],
  ['{"__proto__":null,"b":1}', '{"__proto__":null,"b":2}'],
  ["[1,2]", "[1]"],
  ["[1]", "[1,null]"],
  ["[]", "{}"],
  ["{}", "[]"],
  ['{"a":[]}', '{"a":null}'],
  ['{"a":12345678901234567890}', '{"a":12345678901234567891}'],
  ['{"a":12345678901234567890}', '{"a":1}'],
  ['{"a":"1"}', '{"a":1}'],
])("from %s comes %s", (before, now) => {
  vi.stubGlobal("JSON", Object.assign(Object.create(JSON) as object, { rawJSON: undefined }));
  const old = parseExactly(before);
  const shown = withKeptParts(old, parseExactly(now));
  expect(shown).not.toBe(old);
  expect(JSON.stringify(shown)).toBe(JSON.stringify(parseExactly(now)));
});

test("a long number that is the same is the same object, and one that differs is not", () => {
  const [one, same, other] = ["12345678901234567890", "12345678901234567890", "12345678901234567891"].map((each) => new ExactNumber(each));
  expect([withKeptParts(one, same) === one, withKeptParts(one, other) === other]).toEqual([true, true]);
});

test("what is nested deeper than a stack goes is taken as it came", () => {
  const nested = (): unknown => JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
  const [before, now] = [nested(), nested()];
  expect(withKeptParts(before, now) === before).toBe(false);
});
