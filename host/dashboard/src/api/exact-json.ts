// JSON as it was written: JSON.parse() rounds an integer beyond 2^53, and nobody should approve another amount than the one
// that the agent gets. Such a number is kept as its digits.
import { randomHex } from "./random";

export class ExactNumber {
  constructor(readonly digits: string) {}
  // As a number where the browser can write it so (JSON.rawJSON), else as a text of the same digits.
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    return rawJSON ? rawJSON(this.digits) : this.digits;
  }
  toString(): string {
    return this.digits;
  }
}

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// Sign, digits and exponent, in one way of the many in which a number can be written.
function canonical(number: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "0" : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}

const isRounded = (number: string): boolean => canonical(number) !== canonical(String(Number(number)));

// JSON.parse(), with an ExactNumber in the place of each number that it would round: integers only, as davit itself writes fractions
// that are rounded already.
export function parseExactly(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (!/\d{16}/.test(text)) return parsed;
  const rounded = (token: string): boolean => /^-?\d{16,}$/.test(token) && isRounded(token);
  let mark = "";
  const marked = text.replace(stringOrNumber, (token) => {
    if (!rounded(token)) return token;
    // By chance, so that no text can pass for it.
    mark ||= randomHex();
    return `"${mark}${token}"`;
  });
  if (mark === "") return parsed;
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value,
  );
}

// Whether writing it anew would change a number of it.
export function hasRounded(text: string): boolean {
  return (text.match(stringOrNumber) ?? []).some((token) => !token.startsWith('"') && isRounded(token));
}
