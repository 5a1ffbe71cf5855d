import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { ExactNumber, hasRounded, parseExactly } from "./exact-json";

afterEach(() => vi.unstubAllGlobals());

test("integers that would be rounded are kept, and all else is as JSON.parse has it", () => {
  const text = '{"a":12345678901234567890,"b":[-9007199254740993,9007199254740992,1e3,0.1],"c":"12345678901234567890 \\"1\\""}';
  expect(parseExactly(text)).toEqual({
    a: new ExactNumber("12345678901234567890"),
    b: [new ExactNumber("-9007199254740993"), 9007199254740992, 1000, 0.1],
    c: '12345678901234567890 "1"',
  });
  expect(String(parseExactly("12345678901234567890"))).toBe("12345678901234567890");
  const plain = '{"hash":"1234567890123456","cost":0.30000000000000004,"fraction":0.12345678901234567890}';
  expect(parseExactly(plain)).toEqual(JSON.parse(plain));
  expect(() => parseExactly("12345678901234567890,")).toThrow();
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
  expect(client.getQueryData(["q"])).toEqual({ a: new ExactNumber("12345678901234567891"), b: 1 });
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
