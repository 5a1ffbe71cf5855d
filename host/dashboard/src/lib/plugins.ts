import type { Plugin } from "../api/schema";

// What davit says of a file that it has not done with: it is still copied, or its probe has not ended.
const unfinished = new Set(["not_settled", "probing"]);

// It came a moment ago, and davit's answer comes by itself. Nothing is wrong with it so far.
export function isLookedAt(plugin: Pick<Plugin, "state" | "refusal">): boolean {
  return plugin.state === "refused" && unfinished.has(plugin.refusal?.code ?? "");
}

// Nothing of it wants to be looked at; what is switched off is meant to be.
export function isWell(plugin: Plugin): boolean {
  return (plugin.state === "serving" || plugin.state === "disabled") && plugin.held_back === null;
}

// davit has turned it away, or its newer generation, and only a person changes that.
export function isTurnedAway(plugin: Plugin): boolean {
  return (plugin.state === "refused" && !isLookedAt(plugin)) || plugin.state === "quarantined" || plugin.held_back !== null;
}

// Its state as it is shown.
export function shownState(plugin: Plugin): string {
  return isLookedAt(plugin) ? "being looked at" : plugin.state;
}
