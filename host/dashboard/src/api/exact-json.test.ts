import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { ExactNumber, hasRounded, parseExactly } from "./exact-json";

afterEach(() => vi.unstubAllGlobals());

test.each([
  "12345678901234567890",
  "-9007199254740993",
  "0.12345678901234567890",
  "12345678.123456789012",
  "0.10000000000000001",
  "-1e400",
  "1E-400",
  "0.00000000000000012345678901234567",
])("%s keeps its source text, wherever it stands", (number) => {
  expect(String(parseExactly(number))).toBe(number);
  const [first, { member }] = parseExactly(`[${number}, {"member":\n${number}}]`) as [unknown, { member: unknown }];
  expect([first, member].map((each) => [each instanceof ExactNumber, String(each)])).toEqual([
    [true, number],
    [true, number],
  ]);
});

test("all that JSON.parse does not change is as it has it", () => {
  const plain =
    '{"hash":"1234567890123456","cost":0.30000000000000004,"b":[9007199254740992,1e3,1.50,-0.0,1e300,123456789012345680000],' +
    '"text":"12345678901234567890 \\"0.12345678901234567890\\", 1e400","0.12345678901234567890":1}';
  expect(parseExactly(plain)).toEqual(JSON.parse(plain));
  const mixed = parseExactly(`{"kept":0.12345678901234567890,"plain":${plain}}`) as { plain: unknown };
  expect(mixed.plain).toEqual(JSON.parse(plain));
  expect(() => parseExactly("12345678901234567890,")).toThrow();
});

test("it counts as the number nearest to it", () => {
  const cost = parseExactly("0.10000000000000001") as number;
  expect([cost + 1, cost > 0, cost.toFixed(1), new Intl.NumberFormat("en").format(cost)]).toEqual([1.1, true, "0.1", "0.1"]);
});

test("they are written as they were read, as numbers where the browser can", () => {
  const value = parseExactly('{"a":12345678901234567890}');
  vi.stubGlobal("JSON", Object.assign(Object.create(JSON) as object, { rawJSON: undefined }));
  expect(JSON.stringify(value)).toBe('{"a":"12345678901234567890"}');
  vi.stubGlobal("JSON", Object.assign(Object.create(JSON) as object, { rawJSON: (text: string) => ({ raw: text }) }));
  expect(JSON.stringify(value)).toBe('{"a":{"raw":"12345678901234567890"}}');
});

test("they outlive an answer that is asked for again", async () => {
  const client = new QueryClient();
  const ask = (text: string): Promise<unknown> =>
    client.fetchQuery({ queryKey: ["q"], queryFn: () => parseExactly(text), staleTime: 0 });
  await ask('{"a":12345678901234567890,"b":1}');
  await ask('{"a":12345678901234567891,"b":1}');
  const { a, b } = client.getQueryData<{ a: unknown; b: unknown }>(["q"]) ?? {};
  expect([a instanceof ExactNumber, String(a), b]).toEqual([true, "12345678901234567891", 1]);
});

test.each([
  ['{"a":12345678901234567890}', true],
  ["[9007199254740993]", true],
  ["0.12345678901234567890", true],
  ["1e400", true],
  ["-0", false],
  ["[1.50, 1e3, 100, 0.0, 1E-7, 123456789012345680000, 9007199254740992]", false],
  ['{"12345678901234567890":"12345678901234567890"}', false],
  ["a=12", false],
])("whether %s would be rounded: %s", (text, rounded) => {
  expect(hasRounded(text)).toBe(rounded);
});
