import { expect, test } from "vitest";
import type { DeliveryDetail } from "../../api/schema";
import { requestOf, sampleOf } from "./sample";

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

test("headers are lines of a name and a value", () => {
  expect(requestOf({ headers: " A : b:c \n\nD:", body: "x" })).toEqual({ headers: { A: "b:c", D: "" }, body: "x" });
  expect(requestOf({ headers: "no header", body: "" })).toEqual({ fault: "“no header” is not “Name: value”" });
});
