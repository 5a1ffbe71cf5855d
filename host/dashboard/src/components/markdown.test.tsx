// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Markdown } from "./markdown";

afterEach(cleanup);

test("what is marked up is shown as such", () => {
  render(<Markdown text={"# Plan\n\n1. **Read** `a.cpp`\n2. Change\n\n| a | b |\n|---|---|\n| 1 | 2 |"} />);
  expect(screen.getByRole("heading", { level: 3 }).textContent).toBe("Plan");
  expect(screen.getAllByRole("listitem").map((each) => each.textContent)).toEqual(["Read a.cpp", "Change"]);
  expect(screen.getByRole("cell", { name: "2" })).toBeTruthy();
});

test("a link says where it leads, and what is no address of the web is none", () => {
  const { container } = render(
    <Markdown text={"[docs](https://a.example/b) [evil](javascript:alert(1)) <https://c.example>"} />,
  );
  const links = screen.getAllByRole("link");
  expect(links.map((link) => link.getAttribute("href"))).toEqual(["https://a.example/b", "https://c.example"]);
  expect(links[0]?.getAttribute("rel")).toContain("noreferrer");
  expect(container.textContent).toContain("docs  (https://a.example/b) [evil](javascript:alert(1))");
});

test("HTML is text", () => {
  const hostile = `<script>window.broken=1</script><img src=x onerror="window.broken=1"><svg/onload=1>\n\n<b>x</b>`;
  const { container } = render(<Markdown text={hostile} />);
  expect(container.querySelectorAll("script, img, svg, b")).toHaveLength(0);
  expect(container.textContent).toContain("<script>window.broken=1</script>");
});

test("text that would be read in another direction shows what makes it so", () => {
  const { container } = render(<Markdown text={"to \u202eevil\u202c `a\u2066b`\n\n```\nc\u2069\n```"} />);
  expect(container.textContent).toContain("to ⟨U+202E⟩evil⟨U+202C⟩ a⟨U+2066⟩b");
  expect(container.textContent).toContain("c⟨U+2069⟩");
});
