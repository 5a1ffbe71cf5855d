// @vitest-environment jsdom
import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JsonTree } from "./json-tree";
import { Markdown } from "./markdown";
import { Wide } from "./wide";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

// jsdom lays nothing out: the sizes are told here.
let resized: () => void = () => undefined;
beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(told: () => void) {
        resized = told;
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
});
function size(element: HTMLElement, clientWidth: number, scrollWidth: number): void {
  Object.defineProperties(element, {
    clientWidth: { configurable: true, value: clientWidth },
    scrollWidth: { configurable: true, value: scrollWidth },
  });
  act(resized);
}

test("an edge shows only where there is more behind it", () => {
  const { container, getByRole } = render(
    <Wide name="Numbers">
      <table />
    </Wide>,
  );
  const edges = (): string[] => [...container.querySelectorAll<HTMLElement>("[data-more]")].map((each) => each.dataset["more"] ?? "");
  const region = getByRole("region", { name: "Numbers" });
  const scroll = (left: number): void => {
    region.scrollLeft = left;
    fireEvent.scroll(region);
  };
  size(region, 300, 300);
  expect(edges()).toEqual([]);
  size(region, 300, 500);
  expect(edges()).toEqual(["right"]);
  scroll(100);
  expect(edges()).toEqual(["left", "right"]);
  scroll(200);
  expect(edges()).toEqual(["left"]);
  scroll(0);
  size(region, 500, 500);
  expect(edges()).toEqual([]);
});

test.each([
  ["JSON", () => <JsonTree value={{ a: 1 }} what="the payload" />, "the payload"],
  ["code", () => <Markdown text={"```\nmake all\n```"} />, "Code"],
] as const)("%s has an edge and is a stop of the keyboard only where it goes on to the side", (_, shown, name) => {
  const { container, getByRole } = render(shown());
  const group = getByRole("group", { name });
  const has = () => [group.tabIndex, container.querySelectorAll("[data-more]").length];
  size(group, 300, 300);
  expect(has()).toEqual([-1, 0]);
  size(group, 300, 500);
  expect(has()).toEqual([0, 1]);
});
