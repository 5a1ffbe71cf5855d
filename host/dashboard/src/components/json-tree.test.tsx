// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { parseExactly } from "../api/exact-json";
import type { Json } from "../api/schema";
import { JsonTree } from "./json-tree";

afterEach(cleanup);

test("a large document is made as far as one looks", async () => {
  const value = { list: Array.from({ length: 100_000 }, (_, index) => index) };
  const { container } = render(<JsonTree value={value} what="it" />);
  expect(container.querySelectorAll("*").length).toBeLessThan(2_000);
  await userEvent.click(screen.getByText("99800 more"));
  expect(screen.getByText("350")).toBeTruthy();
});

test("deep members wait until they are opened", async () => {
  render(<JsonTree value={{ a: { b: { c: "deep" } } }} what="it" />);
  expect(screen.queryByText('"deep"')).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: /^b:/ }));
  expect(screen.getByText('"deep"')).toBeTruthy();
});

test("markup in names and values is text", () => {
  const { container } = render(<JsonTree value={{ "<b>": "<img src=x onerror=alert(1)>" }} what="it" />);
  expect(container.querySelector("img, b")).toBeNull();
  expect(screen.getByText('"<img src=x onerror=alert(1)>"')).toBeTruthy();
});

test("names and values that would be read in another direction show what makes it so", () => {
  render(<JsonTree value={{ "a\u202eb": "to \u202eevil" }} what="it" />);
  expect(screen.getByText('"to ⟨U+202E⟩evil"')).toBeTruthy();
  expect(screen.getByText("a⟨U+202E⟩b:")).toBeTruthy();
});

test("a number that JavaScript would round is shown as it was written", () => {
  render(<JsonTree value={parseExactly('{"amount":12345678901234567890,"share":[0.12345678901234567890]}') as Json} what="it" />);
  expect(screen.getByText("12345678901234567890")).toBeTruthy();
  expect(screen.getByText("0.12345678901234567890")).toBeTruthy();
});

test("a member is shown whatever it is named", () => {
  render(<JsonTree value={parseExactly('{"__proto__":{"command":"rm -rf /"},"constructor":"x"}') as Json} what="it" />);
  for (const text of ["__proto__:", '"rm -rf /"', "constructor:"]) expect(screen.getByText(text)).toBeTruthy();
});
