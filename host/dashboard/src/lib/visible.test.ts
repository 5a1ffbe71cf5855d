import { expect, test } from "vitest";
import { visible } from "./visible";

test("characters that set the direction of text are shown as what they are, and all else as it is", () => {
  expect(visible("to \u202eevil\u202c now")).toBe("to ⟨U+202E⟩evil⟨U+202C⟩ now");
  expect(visible("\u202a\u2066\u2069")).toBe("⟨U+202A⟩⟨U+2066⟩⟨U+2069⟩");
  const other = "שלום – مرحبا\n\u2029 👋\u200d";
  expect(visible(other)).toBe(other);
});
