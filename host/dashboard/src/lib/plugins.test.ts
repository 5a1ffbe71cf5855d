import { expect, test } from "vitest";
import type { Plugin } from "../api/schema";
import { isTurnedAway, isWell, shownState } from "./plugins";

test.each([
  ["serving", false, true, false],
  ["disabled", false, true, false],
  ["serving", true, false, true],
  ["no_secret", false, false, false],
  ["quarantined", false, false, true],
  ["refused", false, false, true],
])("%s, with a newer generation held back: %s", (state, isHeld, well, turnedAway) => {
  const plugin = { state, held_back: isHeld ? { state: "quarantined" } : null } as unknown as Plugin;
  expect([isWell(plugin), isTurnedAway(plugin)]).toEqual([well, turnedAway]);
});

test.each([
  ["not_settled", "being looked at", false],
  ["probing", "being looked at", false],
  ["not_elf", "refused", true],
])("a file that is refused for %s is shown as %s", (code, shown, turnedAway) => {
  const plugin = { state: "refused", held_back: null, refusal: { code } } as unknown as Plugin;
  expect([shownState(plugin), isTurnedAway(plugin), isWell(plugin)]).toEqual([shown, turnedAway, false]);
});
