// @vitest-environment jsdom
import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Wide } from "./wide";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

// jsdom lays nothing out: the sizes are told here.
test("an edge shows only where there is more behind it", () => {
  let resized: () => void = () => undefined;
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
  const { container, getByRole } = render(
    <Wide name="Numbers">
      <table />
    </Wide>,
  );
  const edges = (): string[] => [...container.querySelectorAll<HTMLElement>("[data-more]")].map((each) => each.dataset["more"] ?? "");
  const region = getByRole("region", { name: "Numbers" });
  const size = (clientWidth: number, scrollWidth: number): void => {
    Object.defineProperties(region, {
      clientWidth: { configurable: true, value: clientWidth },
      scrollWidth: { configurable: true, value: scrollWidth },
    });
    act(resized);
  };
  const scroll = (left: number): void => {
    region.scrollLeft = left;
    fireEvent.scroll(region);
  };
  size(300, 300);
  expect(edges()).toEqual([]);
  size(300, 500);
  expect(edges()).toEqual(["right"]);
  scroll(100);
  expect(edges()).toEqual(["left", "right"]);
  scroll(200);
  expect(edges()).toEqual(["left"]);
  scroll(0);
  size(500, 500);
  expect(edges()).toEqual([]);
});
