import type { Plugin } from "../api/schema";

// Nothing of it wants to be looked at; what is switched off is meant to be.
export function isWell(plugin: Plugin): boolean {
  return (plugin.state === "serving" || plugin.state === "disabled") && plugin.held_back === null;
}

// davit has turned it away, or its newer generation, and only a person changes that.
export function isTurnedAway(plugin: Plugin): boolean {
  return plugin.state === "refused" || plugin.state === "quarantined" || plugin.held_back !== null;
}
