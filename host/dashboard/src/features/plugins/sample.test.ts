import { expect, test } from "vitest";
import type { DeliveryDetail } from "../../api/schema";
import { ownSample, requestOf, sampleOf } from "./sample";

test("a kept delivery gives what its sender says, without what is made anew or was taken out", () => {
  const delivery = {
    headers: {
      Host: "davit.example",
      "Content-Length": "7",
      "X-Shop-Event": "order",
      "x-shop-delivery": "1",
      "X-Shop-Signature": "(removed)",
      Twice: ["a", "b"],
    },
    body: '{"a":1}',
  } as unknown as DeliveryDetail;
  expect(sampleOf(delivery, "X-Shop-Delivery")).toEqual({ headers: "X-Shop-Event: order", body: '{\n  "a": 1\n}' });
  expect(sampleOf({ headers: null, body: "a=b" } as unknown as DeliveryDetail, null)).toEqual({ headers: "", body: "a=b" });
});

test("a body whose numbers would be rounded is not written anew", () => {
  const body = '{"amount":12345678901234567890}';
  expect(sampleOf({ headers: null, body } as unknown as DeliveryDetail, null).body).toBe(body);
});

test("headers are lines of a name and a value", () => {
  expect(requestOf({ headers: " A : b:c \n\nD:", body: "x" })).toEqual({ headers: { A: "b:c", D: "" }, body: "x" });
  expect(JSON.stringify(requestOf({ headers: "__proto__: x", body: "" }))).toBe('{"headers":{"__proto__":"x"},"body":""}');
  expect(requestOf({ headers: "no header", body: "" })).toEqual({ fault: "“no header” is not “Name: value”" });
});

test("the plugin's own sample is an event of this moment", () => {
  const sample = { headers: { "X-Event": "order", At: "{timestamp}" }, body: { id: "{timestamp}.1" } };
  expect(ownSample({ name: "shop", sample }, 1_700_000_000_999)).toEqual({
    headers: "X-Event: order\nAt: 1700000000",
    body: '{\n  "id": "1700000000.1"\n}',
  });
  expect(ownSample({ sample: { body: "a={timestamp}" } }, 0)).toEqual({ headers: "", body: "a=0" });
  expect(ownSample({ name: "shop" }, 0)).toBeNull();
  expect(ownSample(null, 0)).toBeNull();
});
