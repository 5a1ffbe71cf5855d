// @vitest-environment jsdom
import { renderHook } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { forgetView, keepView, useViews, viewsFrom } from "./views";

afterEach(() => {
  for (const view of renderHook(() => useViews()).result.current) forgetView(view.name);
});

test("a view is kept by its name, which a second one of it takes over", () => {
  keepView({ name: " Failed ", query: "status=failed" });
  keepView({ name: "Mine", query: "q=me" });
  keepView({ name: "Failed", query: "status=failed&period=24h" });
  keepView({ name: "  ", query: "q=1" });
  const views = [
    { name: "Mine", query: "q=me" },
    { name: "Failed", query: "status=failed&period=24h" },
  ];
  expect(renderHook(() => useViews()).result.current).toEqual(views);
  expect(viewsFrom(localStorage.getItem("davit.views"))).toEqual(views);
  forgetView("Mine");
  expect(renderHook(() => useViews()).result.current).toHaveLength(1);
});

test("no more than thirty are kept, the newest of them", () => {
  for (let number = 1; number <= 35; ++number) keepView({ name: `v${number}`, query: "" });
  const { result } = renderHook(() => useViews());
  expect([result.current.length, result.current[0]?.name]).toEqual([30, "v6"]);
});

test.each([null, "", "no json", "{}", "7", '[1, null, {"name": ""}, {"name": 7, "query": ""}, {"name": "x"}]'])(
  "what is kept as %s is no view",
  (text) => {
    expect(viewsFrom(text)).toEqual([]);
  },
);
