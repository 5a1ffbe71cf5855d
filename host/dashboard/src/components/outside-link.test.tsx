// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { OutsideLink } from "./outside-link";

afterEach(cleanup);

test.each(["javascript:alert(1)", "data:text/html,x", "not an address", "//evil.example", ""])(
  "%s is no link",
  (url) => {
    render(<OutsideLink url={url}>there</OutsideLink>);
    expect(screen.queryByRole("link")).toBeNull();
    expect(screen.getByText("there")).toBeTruthy();
  },
);

test("an address of the web is a link that tells nothing of this page", () => {
  render(<OutsideLink url="https://example.com/1">there</OutsideLink>);
  expect(screen.getByRole("link").getAttribute("rel")).toContain("noreferrer");
});
