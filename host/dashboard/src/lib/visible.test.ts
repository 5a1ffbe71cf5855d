import { expect, test } from "vitest";
import { visible } from "./visible";

test.each([
  ["to \u202eevil\u202c now", "to ⟨U+202E⟩evil⟨U+202C⟩ now"],
  ["\u202a\u2066\u2069\u200e\u200f\u061c", "⟨U+202A⟩⟨U+2066⟩⟨U+2069⟩⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩"],
  ["no\u200bbreak\u00ad\u2060\ufeff", "no⟨U+200B⟩break⟨U+00AD⟩⟨U+2060⟩⟨U+FEFF⟩"],
  ["\u0000a\u001b[31mb\u007f\u0085", "⟨U+0000⟩a⟨U+001B⟩[31mb⟨U+007F⟩⟨U+0085⟩"],
  ["a\rb\r\nc", "a⟨U+000D⟩b\r\nc"],
  ["a\u2028b\u2029c", "a⟨U+2028⟩b⟨U+2029⟩c"],
  // What is said to a model only.
  ["hi\u{e0068}\u{e0069}\u{e007f}", "hi⟨U+E0068⟩⟨U+E0069⟩⟨U+E007F⟩"],
  ["a\ufe00b\u{e0100}😀\ufe0f\ufe0e", "a⟨U+FE00⟩b⟨U+E0100⟩😀\ufe0f⟨U+FE0E⟩"],
  ["ap\u200dprove \u200c", "ap⟨U+200D⟩prove ⟨U+200C⟩"],
  ["👋\u200d\u200d", "👋\u200d⟨U+200D⟩"],
  ["\u3164\u115f\ufff9\ud800", "⟨U+3164⟩⟨U+115F⟩⟨U+FFF9⟩⟨U+D800⟩"],
])("%j is shown as %s", (text, shown) => {
  expect(visible(text)).toBe(shown);
  expect(visible(shown)).toBe(shown);
});

test.each([
  "plain\n\ttext",
  "שלום – مرحبا",
  "می\u200cخواهم",
  "क्\u200dष",
  "👩🏽\u200d💻 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3 ❤\ufe0f ©\ufe0f",
  "葛\u{e0100}飾",
  "a\u00a0b",
])("%j is shown as it is", (text) => {
  expect(visible(text)).toBe(text);
});
