// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { TaskDetail } from "../../api/schema";
import { approvedBefore } from "../../lib/plan";
import { Changes } from "./review";

afterEach(cleanup);

function changes(was: object, is: object): string {
  const approved = { title: "t", payload: was, previous_result: null, links: [], actor: null } as unknown as TaskDetail;
  const task = { ...approved, payload: is, approved_before: { kept: true, by: "alice", comment: null } } as unknown as TaskDetail;
  const before = approvedBefore(task, approved);
  if (!before) throw new Error("there is nothing to compare");
  return render(<Changes before={before} />).container.textContent;
}

test("a plan that is the same hides no other content that has changed", () => {
  const text = changes({ plan: "pay", next_input: { amount: 1 } }, { plan: "pay", next_input: { amount: 1_000_000 } });
  expect(text).toContain("The plan is the same; what else it gets is not.");
  expect(text).not.toContain("Not a line has changed");
  expect(screen.getByText(/"amount": 1000000/).tagName).toBe("INS");
});

test("a plan that has changed is followed by what else has", () => {
  const text = changes({ plan: "pay", amount: 1 }, { plan: "pay all", amount: 2 });
  expect(text).toContain("+pay all");
  expect(text).toContain("What else it gets");
  expect(changes({ plan: "pay", amount: 1 }, { plan: "pay all", amount: 1 })).not.toContain("What else it gets");
});

test("where nothing has changed, it says so", () => {
  expect(changes({ plan: "pay", amount: 1 }, { plan: "pay", amount: 1 })).toContain("Not a line has changed.");
});

test("without a plan all is compared", () => {
  expect(changes({ amount: 1 }, { amount: 2 })).toContain('+    "amount": 2');
});

test("where only plans are known, it says so", () => {
  const plans = { before: "pay", after: "pay all" };
  const { container } = render(<Changes before={{ what: "", comment: null, plan: plans, rest: null }} />);
  expect(container.textContent).toContain("+pay all");
  expect(container.textContent).toContain("only the plans are compared");
});
