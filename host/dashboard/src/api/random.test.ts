import { afterEach, expect, test, vi } from "vitest";
import { Link } from "./link";
import { randomHex } from "./random";

afterEach(() => vi.unstubAllGlobals());

test("a page without TLS, which has no randomUUID(), has names made by chance and a link all the same", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto), randomUUID: undefined });
  expect(randomHex()).toMatch(/^[0-9a-f]{32}$/);
  expect(randomHex()).not.toBe(randomHex());
  const around = { open: () => Promise.reject(new Error()), elect: vi.fn(), channel: null, wait: () => Promise.resolve() };
  const link = new Link(around, () => undefined, () => undefined);
  expect(around.elect).toHaveBeenCalled();
  link.leave();
});
