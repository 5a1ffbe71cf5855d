// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { Queue } from "../api/schema";
import { Budgets } from "./budgets";

afterEach(cleanup);

type Budget = Queue["budgets"][number];

const budget = (scope: Budget["scope"], key: string | null, spent: number): Budget => ({
  scope,
  key,
  limit_usd: 10,
  spent_usd: spent,
  reserved_usd: 0,
  resumes_at: null,
});
const actor = (number: number): Budget => budget("actor", `github:${number}`, number / 20);
const names = (): string[] =>
  [...document.querySelectorAll("li")].map((line) => line.querySelector(".font-medium")?.textContent ?? "");

test("the day's total stands first, then agents, then the few actors nearest to their limit, and all of them when asked for", async () => {
  const actors = Array.from({ length: 120 }, (_, number) => actor(number));
  render(<Budgets budgets={[...actors, budget("agent", "worker", 1), budget("day", null, 2)]} />);
  expect(names()).toEqual([
    "All agents, per day",
    "Agent worker",
    ...[119, 118, 117, 116, 115].map((number) => `Actor github:${number}`),
  ]);
  expect(screen.queryByRole("region")).toBe(null);
  await userEvent.click(screen.getByText("All 120 actors"));
  expect(names().length).toBe(122);
  // However many there are, they are no higher than a part of the screen, and whoever has no mouse scrolls them.
  const region = screen.getByLabelText("Budgets of all actors");
  expect([region.classList.contains("max-h-96"), region.tabIndex]).toEqual([true, 0]);
  await userEvent.click(screen.getByText("The 5 nearest to their limit"));
  expect(names().length).toBe(7);
});

test("where there are few actors there is nothing to unfold, and a long one is told whole", () => {
  const long = "github:".padEnd(200, "x");
  render(<Budgets budgets={[budget("day", null, 2), budget("actor", long, 1)]} />);
  expect(screen.queryByRole("button")).toBe(null);
  expect(screen.getByTitle(long).classList.contains("truncate")).toBe(true);
});
