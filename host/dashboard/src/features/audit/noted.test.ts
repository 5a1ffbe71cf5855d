import { expect, test } from "vitest";
import { actorsFrom, operationsFrom } from "./noted";

test("who can be chosen does not depend on who is listed", () => {
  const tokens = [
    { name: "zoe", created_by: "admin" },
    { name: "ada", created_by: "grace" },
  ];
  expect(actorsFrom(tokens, ["admin", null, "SIGHUP"])).toEqual(["SIGHUP", "ada", "admin", "grace", "reader", "zoe"]);
  expect(actorsFrom([], [])).toEqual(["admin", "reader"]);
});

test("nor does what can be chosen, and what the description does not have can be when it is listed", () => {
  const all = operationsFrom([]);
  expect(all).toEqual(expect.arrayContaining(["approveTask", "createToken", "listAudit", "reload", "signIn"]));
  expect(all).not.toContain("receiveDelivery");
  expect(operationsFrom(["approveTask"])).toEqual(all);
  expect(operationsFrom(["startHost"])).toEqual([...all, "startHost"].sort());
});
