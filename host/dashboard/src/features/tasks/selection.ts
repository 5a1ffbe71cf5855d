// Which tasks of the list are selected: some by their ids, or all that its filter finds, also those not loaded yet.
import type { BulkTarget } from "../../api/queries";
import type { Parameters } from "../../api/client";
import { randomHex } from "../../api/random";

export interface Selection {
  filter: string; // the one it was made under: it ends with it
  all: boolean;
  ids: ReadonlySet<string>;
}

export function nothing(filter: string): Selection {
  return { filter, all: false, ids: new Set() };
}

export function isSelected(selection: Selection, id: string): boolean {
  return selection.all || selection.ids.has(id);
}

// Takes a task in or out. Out of all: those that are shown remain, without it.
export function toggled(selection: Selection, id: string, shown: readonly string[]): Selection {
  const ids = new Set(selection.all ? shown : selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ...selection, all: false, ids };
}

export function areAllSelected(selection: Selection, shown: readonly string[]): boolean {
  return shown.length > 0 && shown.every((id) => isSelected(selection, id));
}

// All that are shown, or none if they are already.
export function toggledShown(selection: Selection, shown: readonly string[]): Selection {
  return areAllSelected(selection, shown) ? nothing(selection.filter) : { ...selection, all: false, ids: new Set(shown) };
}

// As the API takes it. Of the parameters of the list, those that say something.
export function targetOf(selection: Selection, parameters: Parameters): BulkTarget | null {
  if (!selection.all) return selection.ids.size > 0 ? { ids: [...selection.ids] } : null;
  const filter: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== "") filter[name] = String(value);
  return { filter };
}

// A String of RFC 8941, as the header wants it.
export const newIdempotencyKey = (): string => `"${randomHex()}"`;
