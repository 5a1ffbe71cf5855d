// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Budgets } from "../../components/budgets";
import { Broken } from "./broken";

afterEach(cleanup);

test("only what is missing is put down to another version", () => {
  render(<Broken error={new TypeError("Failed to fetch dynamically imported module: /a.js")} />);
  expect(screen.queryByText(/replaced by another version/)).toBeTruthy();
  cleanup();
  render(<Broken error={new RangeError("Invalid time value")} />);
  expect(screen.queryByText(/replaced by another version/)).toBeNull();
  expect(screen.getByText("Invalid time value")).toBeTruthy();
});

test("a budget says whose it is", () => {
  render(<Budgets budgets={[{ scope: "day", key: null, limit_usd: 5, spent_usd: 1, reserved_usd: 0, resumes_at: null }]} />);
  expect(screen.getByText("All agents, per day")).toBeTruthy();
});
