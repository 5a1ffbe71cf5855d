// @vitest-environment jsdom
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider, createMemoryHistory, createRootRoute, createRouter } from "@tanstack/react-router";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../../api/queries";
import { PluginsPage } from "./plugins-page";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const refused = (name: string, code: string, reason: string) => ({
  kind: "library",
  name,
  version: null,
  generation: null,
  sha256: null,
  source: `/plugins/${name}`,
  loaded_at: null,
  isolation: null,
  state: "refused",
  reason,
  held_back: null,
  override: null,
  refusal: { code, reason },
});

test("a file that came a moment ago is being looked at, in no colour of alarm; one that is refused is refused", async () => {
  const plugins = [
    refused("new.so", "not_settled", "It has changed within the last 2000 ms."),
    refused("probed.so", "probing", "Nothing to do: its probe has not ended yet."),
    refused("bad.so", "not_elf", "It is not an ELF file."),
  ];
  vi.stubGlobal("fetch", (path: string) =>
    Promise.resolve(path === "/api/dashboard/plugins" ? Response.json({ plugins }) : Response.json({ webhooks: [] })),
  );
  const router = createRouter({ routeTree: createRootRoute({ component: PluginsPage }), history: createMemoryHistory() });
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  await screen.findByText("new.so", { selector: "h3" }, { timeout: 30_000 });
  const looks = screen.getAllByRole("listitem").map((line) => ({
    name: line.querySelector("h3")?.textContent,
    badge: line.querySelector(".tone")?.textContent,
    isAlarming: [...line.querySelectorAll("*")].some((each) => /text-bad|--bad/.test(each.className)),
  }));
  expect(looks).toEqual([
    { name: "new.so", badge: "○being looked at", isAlarming: false },
    { name: "probed.so", badge: "○being looked at", isAlarming: false },
    { name: "bad.so", badge: "✕refused", isAlarming: true },
  ]);
});
